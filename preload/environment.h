/* SPDX-License-Identifier: MIT
 *
 * The environment of a program that is about to be executed: whatever the caller passes, the new program is recorded
 * into the same trace. Uses the caller's buffer, or a mapping if that is too small; never malloc. Entered by any
 * thread, by signal handlers and by the child of a vfork.
 */
#ifndef SNARLI_ENVIRONMENT_H
#define SNARLI_ENVIRONMENT_H

#include <stddef.h>

struct snarli_environment {
  void *mapping; /* NULL: everything lies in `buffer` */
  size_t mapping_size;
  _Alignas(16) char buffer[4096];
};

/* `variables` with what makes the program be recorded. Valid until _drop; `variables` itself if nothing is recorded
 * or there is no memory. */
char *const *snarli_environment_make(struct snarli_environment *environment, char *const variables[]);
void snarli_environment_drop(struct snarli_environment *environment);

/* The child of a vfork may leave an environment behind in memory that is its parent's, too: the parent drops it. */
void snarli_environment_vfork_end(void);

#endif
