/* SPDX-License-Identifier: MIT
 *
 * Abstract acquires: "this thread, holding this lockset, wanted this lock" (the lock dependencies of Joshi et al. 2009,
 * "A randomized dynamic program analysis technique for detecting real deadlocks"), each stored once with a count. A
 * lock wanted while nothing is held never enters. What cannot be part of a cycle any more, because a lock that is gone
 * has no way in or out, goes at once (Cai and Chan 2014, "MagicLock"), so that memory follows what lives. One thread
 * per value.
 */
#ifndef SNARL_CHECKS_DEPENDENCIES_H
#define SNARL_CHECKS_DEPENDENCIES_H

#include "../algo/lockset.h"
#include "../model/happens_before.h"
#include "../model/model.h"

enum want { WANT_WRITE = 1, WANT_TIMED = 2, WANT_TRY = 4 }; /* how a lock is wanted */

/* One time at which the dependency was seen. */
struct instant {
  struct clock *hard, *soft;
  uint32_t epoch;
  struct origin wanted;
  struct origin held[]; /* where each member of the lockset was taken */
};

struct dependency {
  struct thread *thread;
  struct object *wanted;
  struct lockset *held;
  struct object **objects; /* of the members of `held` */
  uint8_t want;            /* enum want */
  uint32_t carrier;    /* serial of the thread that never did anything else meanwhile; 0: of a fiber that was left */
  uint32_t place;      /* in `all` */
  uint32_t count;      /* how often it was seen, at most UINT32_MAX; once the first replay is over */
  struct origin first; /* where it was wanted the first time */
  struct origin *first_held;  /* where each member of the lockset was taken then */
  uint32_t *places;           /* in the list of `wanted`, then in those of the members */
  bool is_candidate, was_cut; /* not all instants were kept */
  char *instants;             /* see dependency_instant */
  uint32_t instant_count, instant_room;
};

struct lock_lists {
  struct object *object;
  VECTOR(uint32_t) wanted; /* dependencies that want it */
  VECTOR(uint64_t) held;   /* those that hold it: place * 2^32 + which member */
};

struct dependencies {
  struct arena *arena;
  struct model *model;
  struct locksets sets;
  VECTOR(struct dependency *) all; /* NULL: free */
  VECTOR(uint32_t) free_places;
  struct map threads;           /* serial -> place in by_thread */
  VECTOR(struct map) by_thread; /* (lockset, wanted, want) -> place in all */
  VECTOR(uint32_t) free_maps;
  struct map locks; /* serial -> place in lists */
  VECTOR(struct lock_lists) lists;
  VECTOR(uint32_t) free_lists;
  bool is_second;        /* the trace is replayed again: locks that no dependency kept count as not held */
  bool were_too_many;    /* objects: those from WANTED_MOST on were left out */
  struct map mixed_sems; /* see happens_before.h */
  VECTOR(uint32_t) members;
};

/* They cannot overlap: one thread does both, by one fiber or by two that it does not leave meanwhile. */
static inline bool dependencies_are_of_one(const struct dependency *a, const struct dependency *b) {
  return a->thread == b->thread || (a->carrier && a->carrier == b->carrier);
}

static inline struct instant *dependency_instant(const struct dependency *dep, size_t i) {
  return (struct instant *)(void *)(dep->instants +
                                    i * (sizeof(struct instant) + dep->held->count * sizeof(struct origin)));
}

void dependencies_init(struct dependencies *deps, struct arena *arena, struct model *model);
/* Looks at what a record asked for. */
void dependencies_step(struct dependencies *deps, const struct event *event);
/* The object gives no more evidence: it is gone, or it is no lock. For model->forget. */
void dependencies_forget(void *deps, struct object *object);
/* The first replay is over. */
void dependencies_settle(struct dependencies *deps);
/* From now on only candidates are looked for. */
void dependencies_begin_second(struct dependencies *deps);
/* It is a candidate no more. */
void dependencies_ignore(struct dependencies *deps, struct dependency *dep);
/* The candidate that this event of a second replay belongs to, unless it was returned at this moment of its thread
 * before (a number that is not 0); else NULL. */
struct dependency *dependencies_again(struct dependencies *deps, const struct event *event, uint32_t moment);
/* Where the thread took each member of `held`, in its order. */
void dependency_origins(const struct lockset *held, const struct thread *thread, struct origin *origins);

#endif
