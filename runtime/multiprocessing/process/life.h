/* SPDX-License-Identifier: MIT
 *
 * The lives of this process's children. What is known of one lies in its life, on the heap, from its start until it was
 * joined; the object only names it, so that it may go when it has ended. A child is waited for by a descriptor (pidfd)
 * and reaped once, under a guard, by whoever notices its end first: nobody signals or waits for a pid that may be
 * another's by then. What becomes of them around forks and at the exit: process.h. Entered by any thread.
 */
#ifndef SNARLI_LIFE_H
#define SNARLI_LIFE_H

#include "core/runtime.h"
#include <snarl/process.h>
#include <sys/queue.h>

struct snarli_life {
  LIST_ENTRY(snarli_life) link;
  uint64_t serial;
  snarl_process *object; /* until it has ended */
  uint32_t joiners;
  int pid, sentinel, exit_code;
  int line; /* over which a server sends the exit code; -1: the system tells it */
  int sent; /* the signal that this process sent last */
  bool is_daemon, has_ended, is_joined;
  bool is_asked;           /* somebody was told how it ended */
  struct snarl_site *site; /* of the start */
};

/* Before there is a child, so that none is left that cannot be waited for. NULL: no memory. */
struct snarli_life *snarli_life_new(snarl_process *process, struct snarl_site *site);
/* The child is there: others may ask for it from now on. */
void snarli_life_begin(struct snarli_life *life, int pid, int sentinel);

/* Enters the guard, and leaves it; in between a life stays. NULL: it was joined, or is another process's. */
struct snarli_life *snarli_life_enter(const snarl_process *process);
void snarli_life_leave(void);
/* The guard is held. Whether the child has ended: noticed in passing, as by a waitpid with WNOHANG. */
bool snarli_life_is_over(struct snarli_life *life, struct snarl_site *site);
/* The guard is held. False: it has become another user's. */
bool snarli_life_signal(struct snarli_life *life, int signal, struct snarl_site *site);
/* Waits for the end: SNARL_OK, SNARL_FAILED, SNARL_SERVER_ENDED, or why not. */
int snarli_life_join(snarl_process *process, snarl_time timeout, struct snarl_site *site);

/* At most `room` that go on into `found`; how many there are. */
int snarli_lives_list(snarl_process **found, int room);
#endif
