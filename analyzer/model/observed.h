/* SPDX-License-Identifier: MIT
 *
 * What happened before what in this very run: everything that one thread gave up or handed out, to everybody who took
 * it afterwards, the releases of locks included (Lamport 1978). Unlike happens_before it says nothing about other runs;
 * two accesses that are unordered here were a race here (Flanagan and Freund 2009, "FastTrack").
 *
 * Whatever a record of the release phase names is handed out, and learned by a later record of the acquire phase on the
 * same: so a new kind of object is ordered without a word here. Where more is ordered than really was, a race is
 * missed, never invented. One thread per value.
 */
#ifndef SNARL_MODEL_OBSERVED_H
#define SNARL_MODEL_OBSERVED_H

#include "../algo/clock.h"
#include "model.h"

struct observed_thread {
  struct clock *knows, *fork, *end;
  uint32_t epoch; /* its own count, which goes up when it hands its clock out */
};

struct observed_object {
  struct clock *given;     /* by all who gave it up */
  struct clock *reads;     /* by readers of a rwlock, for writers only */
  struct clock *gathering; /* by those who have arrived at a barrier */
};

struct observed_process {
  struct clock *fork, *exec, *gone;
};

struct observed {
  struct arena *arena;
  struct clocks clocks;
  VECTOR(struct observed_thread) threads; /* by place in the model */
  struct map objects;                     /* hash of what a record names -> place in given */
  VECTOR(struct observed_object) given;
  VECTOR(uint32_t) free_given;
  struct observed_process *processes;
};

void observed_init(struct observed *observed, struct arena *arena, uint32_t processes);
void observed_step(struct observed *observed, struct model *model, const struct event *event);
/* The thread's own count now. */
uint32_t observed_epoch(struct observed *observed, const struct thread *thread);
/* What `thread` knows of the thread with this serial: moments of it up to this count happened before now. */
uint32_t observed_knows(struct observed *observed, const struct thread *thread, uint32_t serial);
void observed_drop_thread(struct observed *observed, const struct thread *thread);
void observed_drop_object(struct observed *observed, const struct object *object);

#endif
