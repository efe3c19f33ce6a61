/* SPDX-License-Identifier: MIT
 *
 * Memory that the process shares with others, as far as wrapped functions mapped it: told to the recorder when it comes
 * and when it goes. Lock-free; entered by any thread.
 */
#ifndef SNARLI_MEMORY_H
#define SNARLI_MEMORY_H

#include <stddef.h>

/* Shared memory appeared at [lo, lo + size), after it was mapped. The same range again counts one user more. */
void snarli_shared_mapped(const void *lo, size_t size);
/* A user of exactly this range leaves it; call before it is unmapped. */
void snarli_shared_unmapped(const void *lo, size_t size);

#endif
