/* SPDX-License-Identifier: MIT
 *
 * What threads, timers and processes need of each other: at the end of the program and around forks. Entered by any
 * thread.
 */
#ifndef SNARLI_TIMER_H
#define SNARLI_TIMER_H

#include <snarl/timer.h>

/* Has the exit of the program wait for threads, timers and processes. */
void snarli_wait_at_exit(void);
/* Waits for them now. */
void snarli_finish(void);
/* Waits until no timer is started any more, unless called by a timer's function. */
void snarli_timers_drain(void);
void snarli_timers_before_fork(void);
void snarli_timers_after_fork(void);
void snarli_timers_in_child(void);

#endif
