/* SPDX-License-Identifier: MIT
 *
 * How a process is made: by one of three methods, each of which makes it and begins its life, or answers with a status
 * and leaves nothing behind. Entered by any thread.
 */
#ifndef SNARLI_START_H
#define SNARLI_START_H

#include "life.h"
#include <snarl/entry.h>

/* By the process's method. */
int snarli_start(snarl_process *process, struct snarli_life *life, struct snarl_site *site);
int snarli_start_by_fork(snarl_process *process, struct snarli_life *life, struct snarl_site *site);
int snarli_start_by_spawn(snarl_process *process, const struct snarl_entry *entry, struct snarli_life *life,
                          struct snarl_site *site);
int snarli_start_by_server(snarl_process *process, const struct snarl_entry *entry, struct snarli_life *life,
                           struct snarl_site *site);

/* fork; the shim would record it, too. The pid, 0 in the child, -errno. */
int snarli_fork_unseen(void);
/* Keeps a number free for a descriptor of the child's, so that there is none that cannot be waited for; -errno. */
int snarli_start_reserve(void);
/* The child is there: begins its life, or ends it again. `reserved` is used up. */
int snarli_start_adopt(struct snarli_life *life, int pid, int reserved);
/* Records that a process is about to be made, and what became of it: a pid, or -errno. */
uint32_t snarli_start_requested(unsigned flags, struct snarl_site *site);
void snarli_start_ended(unsigned flags, int pid, uint32_t place);
/* What to say of an error of the kernel's. */
int snarli_start_failed(long error);

#endif
