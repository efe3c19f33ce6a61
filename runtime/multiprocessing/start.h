/* SPDX-License-Identifier: MIT
 *
 * How a process is made. Entered by any thread.
 */
#ifndef SNARLI_START_H
#define SNARLI_START_H

#include "life.h"

/* Makes the process and begins its life; or a status, and nothing is left behind. */
int snarli_start_by_fork(snarl_process *process, struct snarli_life *life, struct snarl_site *site);

/* What to say of an error of the kernel's. */
int snarli_start_failed(long error);

#endif
