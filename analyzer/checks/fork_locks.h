/* SPDX-License-Identifier: MIT
 *
 * The finding `fork-holding-lock`: a thread of a forked child could not get a lock that another thread of the parent
 * held at the fork. That thread does not exist in the child, so nobody there will ever release the lock. One thread per
 * analysis.
 *
 * Nothing is said of a lock that the child leaves alone, initializes anew, unlocks or got after all.
 */
#ifndef SNARL_CHECKS_FORK_LOCKS_H
#define SNARL_CHECKS_FORK_LOCKS_H

#include "../describe/describe.h"
#include "wait_graph.h"

/* The first time that somebody could not get the lock. */
struct fork_miss {
  struct object *lock;   /* the child's copy; pinned */
  struct thread *thread; /* pinned */
  struct origin asked;
};

struct fork_locks {
  struct arena *arena;
  struct model *model;
  struct map seen; /* serials of the locks -> 1 */
  VECTOR(struct fork_miss) misses;
};

void fork_locks_init(struct fork_locks *locks, struct arena *arena, struct model *model);
void fork_locks_step(struct fork_locks *locks, const struct event *event);
/* Forgets what came to nothing, and what the deadlocks of `graph` tell already. */
void fork_locks_settle(struct fork_locks *locks, const struct wait_graph *graph);
void fork_locks_announce(const struct fork_locks *locks, struct describe *describe);
void fork_locks_report(const struct fork_locks *locks, struct describe *describe, struct found_list *found);

#endif
