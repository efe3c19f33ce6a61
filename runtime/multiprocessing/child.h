/* SPDX-License-Identifier: MIT
 *
 * Which process this one is, and how it runs what it was started for.
 */
#ifndef SNARLI_CHILD_H
#define SNARLI_CHILD_H

#include <snarl/process.h>

/* This process is a new one, `process`: runs its function and ends. Entered by its only thread. */
_Noreturn void snarli_child_run(snarl_process *process, struct snarl_site *site);
/* Whether the process that has started this one lives. */
bool snarli_parent_is_alive(void);
/* What both sides of a start do first: what is in a buffer at a fork is printed twice. Only stdout and stderr: others
 * may be held by a thread that waits for input. */
void snarli_streams_flush(void);

#endif
