/* SPDX-License-Identifier: MIT
 *
 * What processes and the rest of libsnarl need of each other: around forks, and at the end of the program. Entered by
 * any thread.
 */
#ifndef SNARLI_PROCESS_H
#define SNARLI_PROCESS_H

#include <snarl/process.h>

/* Terminates the daemons among this process's children and waits for all. */
void snarli_processes_at_exit(void);
void snarli_processes_before_fork(void);
void snarli_processes_after_fork(void);
void snarli_processes_in_child(void);

#endif
