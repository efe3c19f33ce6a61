/* SPDX-License-Identifier: MIT
 *
 * What happened before what: two relations over a replay, each a vector clock per thread (Lamport 1978; Mattern 1989).
 *
 * - hard: it must be so in every run of this program: create -> begin, end -> join, fork -> begin of the child, end of
 *   a child -> its wait, all arrivals at a barrier -> all departures, end of a once -> its passing, the post of a
 *   semaphore with one poster -> the acquire that needs it, the send of one thread -> the receive of what it sent, and:
 *   if a lock was taken before another thread takes it, then it was also released before (Kini, Mathur, Viswanathan
 *   2017, "Dynamic race prediction in linear time", rule b);
 * - soft: the hard ones, and what happened to be so in this run: signal -> wait returned, any post -> any later
 *   acquire, any send -> the receive of it.
 *
 * The release of a lock orders nothing by itself: another run may take it the other way round. One thread per value.
 */
#ifndef SNARL_MODEL_HAPPENS_BEFORE_H
#define SNARL_MODEL_HAPPENS_BEFORE_H

#include "../algo/clock.h"
#include "model.h"

/* A moment of a thread: what it knew, and its own count. Moment a of thread X is before b if b's clock has X at a.epoch
 * or more. */
struct moment {
  struct clock *hard, *soft;
  uint32_t epoch;
  uint32_t number; /* another one for each moment of a thread; not 0 */
};

struct happens_before {
  struct arena *arena;
  struct clocks clocks;
  struct ordering *spare;
  struct process_order *processes;
  const struct map *mixed_sems; /* serials of semaphores, channels and orders with more than one poster (1), acquirer
                                   (2) or both (3) */
};

void happens_before_init(struct happens_before *hb, struct arena *arena, uint32_t processes,
                         const struct map *mixed_sems);
void happens_before_step(struct happens_before *hb, struct model *model, const struct event *event);
/* The thread's moment now; borrowed until the next step. */
struct moment happens_before_now(struct happens_before *hb, struct thread *thread);
void happens_before_drop_thread(struct happens_before *hb, struct thread *thread);
void happens_before_drop_object(struct happens_before *hb, struct object *object);
/* The key in `mixed_sems` of a signal that several threads send to a process. */
static inline uint64_t key_of_signal(const struct process *process, unsigned signal) {
  return 1ull << 40 | (uint64_t)process->index << 8 | signal;
}

#endif
