/* SPDX-License-Identifier: MIT
 *
 * Barrier: a number of threads wait for each other, then all go on, again and again. The last to arrive runs the
 * action, if there is one, before any goes on. A barrier at which somebody's time was over, whose action failed or that
 * was aborted is broken: all who wait and all who come are told so, until it is reset. A reset lets those who wait go
 * with SNARL_BROKEN and begins anew.
 *
 * Between processes: in memory that they share, made by snarl_barrier_init_shared; the name is copied, and there is no
 * action. One that is killed while it waits has arrived; one that is killed before it arrives keeps the others waiting,
 * so they had better have a timeout.
 *
 * wait: the place among those who arrived, from 0; SNARL_BROKEN; SNARL_TIMEOUT to the one whose time was over.
 */
#ifndef SNARL_BARRIER_H
#define SNARL_BARRIER_H

#include <snarl/lock.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_waiter;

/* Below 0: it failed. */
typedef int (*snarl_barrier_action)(void *argument);

typedef struct snarl_barrier {
  struct snarl_object object;
  int32_t parties;
  uint32_t guard, turn, arrived, broken;
  struct snarli_waiter *waiters;
  snarl_barrier_action action;
  void *argument;
  uint64_t state; /* between processes: all of it */
  snarl_lock order;
} snarl_barrier;

#define SNARL_BARRIER_INIT(name, parties) SNARL_BARRIER_INIT_ACTION(name, parties, NULL, NULL)
#define SNARL_BARRIER_INIT_ACTION(name, parties, action, argument)                                                     \
  { SNARLI_OBJECT_INIT(BARRIER, name), (parties), 0, 0, 0, 0, NULL, (action), (argument), 0, SNARL_LOCK_INIT(NULL) }

#define snarl_barrier_init(barrier, name, parties, action, argument)                                                   \
  snarl_barrier_init_at((barrier), (name), (parties), (action), (argument), SNARL_HERE)
/* No more than 65535 parties. */
#define snarl_barrier_init_shared(barrier, name, parties)                                                              \
  snarl_barrier_init_shared_at((barrier), (name), (parties), SNARL_HERE)
#define snarl_barrier_destroy(barrier) snarl_barrier_destroy_at((barrier), SNARL_HERE)
#define snarl_barrier_wait(barrier, timeout) snarl_barrier_wait_at((barrier), (timeout), SNARL_HERE)
#define snarl_barrier_abort(barrier) snarl_barrier_abort_at((barrier), SNARL_HERE)
#define snarl_barrier_reset(barrier) snarl_barrier_reset_at((barrier), SNARL_HERE)
/* SNARL_INVALID: fewer than one party. */
int snarl_barrier_init_at(snarl_barrier *barrier, const char *name, int parties, snarl_barrier_action action,
                          void *argument, struct snarl_site *site);
int snarl_barrier_init_shared_at(snarl_barrier *barrier, const char *name, int parties, struct snarl_site *site);
int snarl_barrier_destroy_at(snarl_barrier *barrier, struct snarl_site *site);
int snarl_barrier_wait_at(snarl_barrier *barrier, snarl_time timeout, struct snarl_site *site);
int snarl_barrier_abort_at(snarl_barrier *barrier, struct snarl_site *site);
int snarl_barrier_reset_at(snarl_barrier *barrier, struct snarl_site *site);
bool snarl_barrier_broken(const snarl_barrier *barrier);
int snarl_barrier_n_waiting(const snarl_barrier *barrier);
int snarl_barrier_parties(const snarl_barrier *barrier);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
