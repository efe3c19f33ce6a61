/* SPDX-License-Identifier: MIT
 *
 * Which descriptors of this process share an open file description, as far as locks were made through it or it was
 * copied while we watched, and what was done with it. A forked child inherits the table with the descriptors.
 * Lock-free; entered by any thread and its signal handlers.
 */
#ifndef SNARLI_DESCRIPTIONS_H
#define SNARLI_DESCRIPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { DESCRIPTIONS_MOST = 1 << 20 }; /* locks through descriptors this high are not recorded */

enum description_use {
  FLOCK_SHARED = 1,
  FLOCK_EXCLUSIVE = 2,
  USED_FLOCK = 4,
  USED_OFD = 8,      /* record locks of the description */
  USED_PROCESS = 16, /* traditional record locks */
  DESCRIPTION_USES = 0xff
};

/* The name of the description of `fd`, which gets one if it has none; 0: not recorded. */
uint64_t snarli_description_of(int fd);
/* What was done with it, 0: nothing that is known. */
unsigned snarli_description_uses(int fd);
void snarli_description_mark(int fd, unsigned set, unsigned clear);
void snarli_description_copy(int from, int to);
/* `fd` is about to be closed; true: it is the last one of this process, and `uses` tells all that was done. */
bool snarli_description_drop(int fd, uint64_t *name, unsigned *uses);
/* Calls `visit` for each descriptor from `first` to `last` whose description has a name. */
void snarli_descriptions_visit(unsigned first, unsigned last, void (*visit)(int fd, uint32_t stack), uint32_t stack);
bool snarli_description_has_name(int fd);

#endif
