/* SPDX-License-Identifier: MIT
 *
 * The finding `lock-in-signal-handler`: a handler takes a lock that the very thread on which it ran also takes outside
 * of handlers, at a time when the handler's signal could come. When it does, the handler waits for the thread that it
 * interrupted. One thread per analysis.
 *
 * Nothing is said of tries and timed waits, of locks that tell their owner so (recursive, error-checking), of signals
 * that are faults or that the program sends to itself by raise, and of handlers whose signal is not certain.
 */
#ifndef SNARL_CHECKS_HANDLER_LOCKS_H
#define SNARL_CHECKS_HANDLER_LOCKS_H

#include "../describe/describe.h"
#include "wait_graph.h"

/* A thread's first acquisition of a lock in a handler. */
struct handler_use {
  struct object *lock;   /* pinned */
  struct thread *thread; /* pinned */
  struct origin inside;
  bool is_write;
  uint64_t *handlers;    /* of the process then, SIGNALS of them */
  uint64_t signals;      /* any of which may have called it; bit n is signal n */
  const char *handler;   /* the function, "" if unknown */
  struct origin outside; /* where the thread takes the lock while they can come; no time: nowhere */
};

struct handler_locks {
  struct arena *arena;
  struct model *model;
  struct map seen; /* hash of (thread, lock) -> place in uses */
  VECTOR(struct handler_use) uses;
};

void handler_locks_init(struct handler_locks *locks, struct arena *arena, struct model *model);
void handler_locks_step(struct handler_locks *locks, const struct event *event);
/* Replays the trace again, if any lock was taken in a handler, and keeps what is a finding and is not told by the
 * deadlocks of `graph`. */
void handler_locks_judge(struct handler_locks *locks, struct describe *describe, const struct wait_graph *graph);
void handler_locks_announce(const struct handler_locks *locks, struct describe *describe);
void handler_locks_report(const struct handler_locks *locks, struct describe *describe, struct found_list *found);

#endif
