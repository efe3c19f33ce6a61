/* SPDX-License-Identifier: MIT
 *
 * Directories for traces: made, checked, cleared, removed. Main thread.
 */
#ifndef CLI_TRACEDIR_H
#define CLI_TRACEDIR_H

#include "options.h"

struct tracedir {
  char *path; /* absolute; to be freed by tracedir_end */
  char *name; /* as the user calls it */
  bool is_temporary;
  bool is_ours; /* made by us: removed again if the program cannot be started */
};

/* The directory `wanted` (NULL: a temporary one), which must be empty or not exist; with `force`, a trace in it is
 * removed. EXIT_OK, or the exit status after a complaint. */
enum exit_status tracedir_make(struct tracedir *directory, const char *wanted, bool force);
/* The first of ./snarl-PROGRAM.trace, ./snarl-PROGRAM-2.trace, ... that does not exist. */
enum exit_status tracedir_make_default(struct tracedir *directory, const char *program);
/* Removes a temporary directory, or with `undo` one that we made, and frees. */
void tracedir_end(struct tracedir *directory, bool undo);

#endif
