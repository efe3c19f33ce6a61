/* SPDX-License-Identifier: MIT
 *
 * SharedMemory from the inside, for a process that was given some. Entered by any thread.
 */
#ifndef SNARLI_SHARED_MEMORY_H
#define SNARLI_SHARED_MEMORY_H

#include <snarl/shared_memory.h>

/* Maps what the descriptor stands for, and keeps it. */
int snarli_shared_memory_adopt(snarl_shared_memory *memory, int fd, const char *name, struct snarl_site *site);
/* It is mapped: begins the object. */
int snarli_shared_memory_begin(snarl_shared_memory *memory, struct snarl_site *site);

#endif
