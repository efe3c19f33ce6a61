/* SPDX-License-Identifier: MIT
 *
 * The verdict on a deadlock pattern: were its acquires ordered? It is feasible when one moment per thread can be chosen
 * such that no two are ordered (Garg and Waldecker 1994, "Detection of weak unstable predicates in distributed
 * programs"), unconfirmed when only what happened to be so in this run orders them. Threads are chosen one after the
 * other, and a choice that is ordered with one before it is never followed. One thread per value.
 */
#include "../algo/map.h"
#include "lock_moments.h"
#include <stdlib.h>
#include <string.h>

#define TESTS_MOST 8192u      /* pairs compared for one pattern */
#define TESTS_LEAST 64u       /* the same, when there are very many patterns */
#define TESTS_AT_END 4000000u /* for all of them, at the end */

/* Which of the two relations must leave the acquires unordered. */
enum relation { RELATION_NOTHING, RELATION_HARD, RELATION_SOFT, RELATIONS };

/* One look at all patterns. */
struct inspection {
  struct lock_cycles *cycles;
  struct map pairs[RELATIONS]; /* pairs of dependencies -> are they unordered? */
  uint64_t tests_each;
  bool was_cut;
};

struct judgement {
  struct inspection *inspection;
  struct lock_cycle *cycle;
  enum relation relation;
  size_t *at; /* which moment of each chosen dependency */
  uint64_t tests;
};

static bool is_ordered(const struct dependency *a, const struct instant *x, const struct instant *y,
                       enum relation relation) {
  return clock_get(relation == RELATION_SOFT ? y->soft : y->hard, a->thread->serial) >= x->epoch;
}

/* Moves each thread on from the moments that are before another's, until none is or one has no more. */
static bool is_unordered(struct judgement *judgement) {
  const struct lock_cycle *cycle = judgement->cycle;
  size_t *at = judgement->at;
  for (uint32_t i = 0; i < cycle->length; i++)
    at[i] = 0;
  for (bool has_moved = judgement->relation != RELATION_NOTHING; has_moved;) {
    has_moved = false;
    for (uint32_t i = 0; i < cycle->length; i++)
      for (uint32_t j = 0; j < cycle->length; j++) {
        const struct dependency *a = cycle->chosen[i], *b = cycle->chosen[j];
        while (i != j &&
               is_ordered(a, dependency_instant(a, at[i]), dependency_instant(b, at[j]), judgement->relation)) {
          has_moved = true;
          if (++at[i] == a->instant_count)
            return false;
        }
      }
  }
  return true;
}

static bool is_pair_unordered(const struct dependency *a, const struct dependency *b, enum relation relation) {
  for (size_t i = 0, j = 0; i < a->instant_count && j < b->instant_count;) {
    const struct instant *x = dependency_instant(a, i), *y = dependency_instant(b, j);
    if (is_ordered(a, x, y, relation))
      i++;
    else if (is_ordered(b, y, x, relation))
      j++;
    else
      return true;
  }
  return false;
}

/* The same, asked before or not. */
static bool can_meet(struct judgement *judgement, const struct dependency *a, const struct dependency *b) {
  struct inspection *inspection = judgement->inspection;
  struct map *pairs = &inspection->pairs[judgement->relation];
  uint64_t key = a->place < b->place ? (uint64_t)a->place << 32 | b->place : (uint64_t)b->place << 32 | a->place;
  uint32_t known = map_get(pairs, key);
  if (known == MAP_NONE) {
    known = is_pair_unordered(a, b, judgement->relation);
    map_put(inspection->cycles->arena, pairs, key, known);
  }
  return known;
}

/* May class i of the cycle be this one, given the classes that were chosen before? */
static bool is_free(struct judgement *judgement, uint32_t rank, const struct dependency *dep) {
  const struct lock_cycle *cycle = judgement->cycle;
  const struct object *lock = lock_cycle_lock(judgement->inspection->cycles, cycle, cycle->order[rank]);
  if (!dep->instant_count)
    return false;
  if (cycle->needs_writer && !lock->has_writers && lock->writer == dep->thread->serial)
    return false; /* the only writer is busy here */
  for (uint32_t i = 0; i < rank; i++)
    if (dependencies_are_of_one(cycle->chosen[cycle->order[i]], dep))
      return false;
  for (uint32_t i = 0; judgement->relation != RELATION_NOTHING && i < rank; i++) {
    judgement->tests++;
    if (!can_meet(judgement, cycle->chosen[cycle->order[i]], dep))
      return false;
  }
  return true;
}

/* The first member that was not seen before `time`. */
static size_t first_from(const struct lock_class *class, uint64_t time) {
  size_t low = 0, high = class->members.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (class->members.items[middle]->first.time < time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Chooses the classes from this rank on; threads that did it at about the same time are tried first. */
static bool choose(struct judgement *judgement, uint32_t rank) {
  struct lock_cycle *cycle = judgement->cycle;
  if (rank == cycle->length)
    return is_unordered(judgement);
  const struct lock_class *class = &judgement->inspection->cycles->classes.items[cycle->classes[cycle->order[rank]]];
  size_t after = rank ? first_from(class, cycle->chosen[cycle->order[0]]->first.time) : 0, before = after;
  while (before || after < class->members.count) {
    size_t member = after < class->members.count && (after - before) % 2 == 0 ? after++ : before ? --before : after++;
    if (!is_free(judgement, rank, class->members.items[member]))
      continue;
    cycle->chosen[cycle->order[rank]] = class->members.items[member];
    if (choose(judgement, rank + 1))
      return true;
    if (judgement->tests > judgement->inspection->tests_each)
      return false;
  }
  return false;
}

/* Looks for a choice of threads and moments, and keeps it. */
static bool find(struct judgement *judgement, enum relation relation) {
  struct lock_cycles *cycles = judgement->inspection->cycles;
  struct lock_cycle *cycle = judgement->cycle;
  struct dependency **chosen = arena_resize(cycles->arena, NULL, cycle->length * sizeof(struct dependency *));
  for (uint32_t i = 0; i < cycle->length; i++)
    chosen[i] = cycle->chosen[i];
  judgement->relation = relation;
  judgement->tests = 0;
  bool is_found = choose(judgement, 0);
  judgement->inspection->was_cut |= judgement->tests > judgement->inspection->tests_each;
  for (uint32_t i = 0; i < cycle->length && is_found; i++) {
    const struct dependency *dep = cycle->chosen[i];
    const struct instant *instant = dependency_instant(dep, judgement->at[i]);
    size_t size = dep->held->count * sizeof(struct origin);
    cycle->moments[i] = (struct lock_moment){instant->wanted, arena_alloc(cycles->arena, size)};
    memcpy(cycle->moments[i].held, instant->held, size);
  }
  for (uint32_t i = 0; i < cycle->length && !is_found; i++)
    cycle->chosen[i] = chosen[i];
  arena_release(cycles->arena, chosen);
  return is_found;
}

static void judge(struct inspection *inspection, struct lock_cycle *cycle) {
  struct arena *arena = inspection->cycles->arena;
  struct judgement judgement = {.inspection = inspection, .cycle = cycle};
  judgement.at = arena_resize(arena, NULL, cycle->length * sizeof *judgement.at);
  if (find(&judgement, RELATION_SOFT))
    cycle->verdict = VERDICT_FEASIBLE;
  else if (cycle->verdict != VERDICT_UNCONFIRMED && find(&judgement, RELATION_HARD))
    cycle->verdict = VERDICT_UNCONFIRMED;
  arena_release(arena, judgement.at);
}

bool lock_verdicts_look(struct lock_cycles *cycles, uint64_t tests) {
  struct inspection inspection = {.cycles = cycles};
  size_t open = 0;
  for (size_t i = 0; i < cycles->possible.count; i++)
    open += !lock_cycle_is_settled(&cycles->possible.items[i]);
  inspection.tests_each = open ? tests / open : 0;
  if (inspection.tests_each > TESTS_MOST)
    inspection.tests_each = TESTS_MOST;
  if (inspection.tests_each < TESTS_LEAST)
    inspection.tests_each = TESTS_LEAST;
  for (size_t i = 0; i < cycles->possible.count; i++)
    if (!lock_cycle_is_settled(&cycles->possible.items[i]))
      judge(&inspection, &cycles->possible.items[i]);
  for (size_t i = 0; i < RELATIONS; i++)
    map_free(cycles->arena, &inspection.pairs[i]);
  return !inspection.was_cut;
}

/* No choice of threads leaves its acquires unordered: what is shown, and why not. */
static void rule_out(struct lock_cycles *cycles, struct lock_cycle *cycle) {
  struct inspection inspection = {.cycles = cycles, .tests_each = TESTS_MOST};
  struct judgement judgement = {.inspection = &inspection, .cycle = cycle};
  judgement.at = arena_resize(cycles->arena, NULL, cycle->length * sizeof *judgement.at);
  bool is_writer_free = find(&judgement, RELATION_NOTHING);
  arena_release(cycles->arena, judgement.at);
  cycle->verdict = VERDICT_IMPOSSIBLE;
  cycle->why_not = cycle->needs_writer && !is_writer_free ? WHY_READERS : WHY_ORDERED;
  if (cycle->why_not == WHY_READERS)
    cycle->culprit = lock_cycle_lock(cycles, cycle, 0);
  cycles->impossible_count++;
  if (cycles->keep_impossible)
    vector_push(cycles->arena, &cycles->impossible) = *cycle;
}

static int by_time(const void *left, const void *right) {
  const struct dependency *a = *(struct dependency *const *)left, *b = *(struct dependency *const *)right;
  if (a->first.time != b->first.time)
    return a->first.time < b->first.time ? -1 : 1;
  return (a->thread->serial > b->thread->serial) - (a->thread->serial < b->thread->serial);
}

void lock_cycles_judge(struct lock_cycles *cycles) {
  if (!cycles->possible.count)
    return;
  for (size_t i = 0; i < cycles->classes.count; i++)
    qsort(cycles->classes.items[i].members.items, cycles->classes.items[i].members.count, sizeof(struct dependency *),
          by_time);
  lock_moments_collect(cycles);
  cycles->assignments_were_cut = !lock_verdicts_look(cycles, TESTS_AT_END);
  size_t kept = 0;
  for (size_t i = 0; i < cycles->possible.count; i++) {
    struct lock_cycle *cycle = &cycles->possible.items[i];
    if (cycle->verdict == VERDICT_HAPPENED)
      rule_out(cycles, cycle);
    else
      cycles->possible.items[kept++] = *cycle;
  }
  cycles->possible.count = kept;
}
