/* SPDX-License-Identifier: MIT
 *
 * Which process this one is, and how it runs what it was started for.
 */
#ifndef SNARLI_CHILD_H
#define SNARLI_CHILD_H

#include "preparation.h"

/* This process is a fork for `process`: runs its function and ends. Entered by its only thread. */
_Noreturn void snarli_child_run(snarl_process *process, struct snarl_site *site);
/* This process has an image of its own and was told what to run; the exit code. `parent_sentinel` tells when its parent
 * ends, -1: that is the one that it has by the system. */
int snarli_child_run_prepared(struct snarli_preparation *preparation, int parent_sentinel);
/* Its end without handlers of atexit, after a function that was not the program's main. */
_Noreturn void snarli_child_leave(int code, struct snarl_site *site);
/* Whether the process that has started this one lives. */
bool snarli_parent_is_alive(void);
/* What both sides of a start do first: what is in a buffer at a fork is printed twice. Only stdout and stderr: others
 * may be held by a thread that waits for input. */
void snarli_streams_flush(void);

#endif
