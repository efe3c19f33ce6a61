/* SPDX-License-Identifier: MIT
 *
 * The verdict on a deadlock pattern: were its acquires ordered? A second replay, of clocks as well, notes each moment
 * at which a dependency of a candidate was seen; a pattern is feasible when one moment per thread can be chosen such
 * that no two are ordered (Garg and Waldecker 1994, "Detection of weak unstable predicates in distributed programs").
 * Traces without candidates pay nothing for clocks. One thread per value.
 */
#include "lock_cycles.h"

#define MOMENTS_MOST 4096u     /* kept of one dependency */
#define ASSIGNMENTS_MOST 2048u /* choices of threads tried for one cycle */

struct second_replay {
  struct model model;
  struct happens_before hb;
};

static void drop_thread(void *context, struct thread *thread) {
  happens_before_drop_thread(&((struct second_replay *)context)->hb, thread);
}

static void drop_object(void *context, struct object *object) {
  happens_before_drop_object(&((struct second_replay *)context)->hb, object);
}

static void mark_candidates(struct lock_cycles *cycles) {
  for (size_t i = 0; i < cycles->possible.count; i++)
    for (uint32_t c = 0; c < cycles->possible.items[i].length; c++) {
      struct lock_class *class = &cycles->classes.items[cycles->possible.items[i].classes[c]];
      for (size_t m = 0; m < class->members.count; m++)
        class->members.items[m]->is_candidate = true;
    }
}

/* Between two things that a thread learns, its latest moment stands for all: the fewest others know of it. */
static void note(struct lock_cycles *cycles, struct dependency *dep, const struct event *event, struct moment now) {
  struct instant *last = dep->instants.count ? &dep->instants.items[dep->instants.count - 1] : NULL;
  if (last && last->hard == now.hard && last->soft == now.soft) {
    last->epoch = now.epoch;
    return;
  }
  if (dep->instants.count >= MOMENTS_MOST) {
    dep->was_cut = true;
    return;
  }
  struct instant *instant = &vector_push(cycles->arena, &dep->instants);
  *instant = (struct instant){.hard = clock_keep(now.hard), .soft = clock_keep(now.soft), .epoch = now.epoch};
  instant->wanted = (struct origin){event->process->index, event->record->aux, event->record->time, dep->first.thread};
  instant->held = arena_alloc(cycles->arena, dep->held->count * sizeof *instant->held);
  dependency_origins(dep->held, event->thread, instant->held);
}

static void replay_again(struct lock_cycles *cycles, struct second_replay *replay) {
  struct trace_record record;
  struct event event;
  struct trace *trace = cycles->model->trace;
  model_init(&replay->model, cycles->arena, trace);
  happens_before_init(&replay->hb, cycles->arena, replay->model.process_count, &cycles->deps->mixed_sems);
  replay->model.drop_thread = drop_thread;
  replay->model.drop_object = drop_object;
  replay->model.context = replay;
  trace_rewind(trace);
  while (trace_next(trace, &record)) {
    model_step(&replay->model, &record, &event);
    happens_before_step(&replay->hb, &replay->model, &event);
    if (!event.wants)
      continue;
    struct moment now = happens_before_now(&replay->hb, event.thread);
    struct dependency *dep = dependencies_again(cycles->deps, &event, now.number);
    if (dep)
      note(cycles, dep, &event, now);
  }
}

static bool is_ordered(const struct dependency *a, const struct instant *x, const struct instant *y, bool is_soft) {
  return clock_get(is_soft ? y->soft : y->hard, a->thread->serial) >= x->epoch;
}

/* Moves each thread on from the moments that are before another's, until none is or one has no more. */
static bool is_unordered(struct lock_cycle *cycle, size_t *at, bool is_soft) {
  for (uint32_t i = 0; i < cycle->length; i++)
    at[i] = 0;
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (uint32_t i = 0; i < cycle->length; i++)
      for (uint32_t j = 0; j < cycle->length; j++) {
        const struct dependency *a = cycle->chosen[i], *b = cycle->chosen[j];
        while (i != j && is_ordered(a, &a->instants.items[at[i]], &b->instants.items[at[j]], is_soft)) {
          has_moved = true;
          if (++at[i] == a->instants.count)
            return false;
        }
      }
  }
  return true;
}

struct judgement {
  struct lock_cycles *cycles;
  struct lock_cycle *cycle;
  struct dependency **best;
  size_t *at;
  unsigned tried;
  bool was_tried;
};

static void settle(struct judgement *judgement, enum finding_verdict verdict, const size_t *at) {
  struct lock_cycle *cycle = judgement->cycle;
  cycle->verdict = verdict;
  for (uint32_t i = 0; i < cycle->length; i++) {
    judgement->best[i] = cycle->chosen[i];
    cycle->moments[i] = cycle->chosen[i]->instants.items[at ? at[i] : 0];
  }
}

/* All threads are chosen. True: this is as bad as it gets. */
static bool judge_choice(struct judgement *judgement) {
  struct lock_cycle *cycle = judgement->cycle;
  for (uint32_t i = 0; i < cycle->length; i++) {
    if (!cycle->chosen[i]->instants.count)
      return false;
    if (!cycle->needs_writer)
      continue;
    const struct object *lock = lock_cycle_lock(judgement->cycles, cycle, i);
    if (!lock->has_writers && lock->writer == cycle->chosen[i]->thread->serial)
      return false; /* the only writer is busy here */
  }
  if (is_unordered(cycle, judgement->at, true)) {
    settle(judgement, VERDICT_FEASIBLE, judgement->at);
    return true;
  }
  if (cycle->verdict != VERDICT_UNCONFIRMED && is_unordered(cycle, judgement->at, false))
    settle(judgement, VERDICT_UNCONFIRMED, judgement->at);
  else if (!judgement->was_tried)
    settle(judgement, VERDICT_IMPOSSIBLE, NULL);
  judgement->was_tried = true;
  return false;
}

static bool choose(struct judgement *judgement, uint32_t i) {
  struct lock_cycle *cycle = judgement->cycle;
  if (i == cycle->length)
    return judgement->tried++ >= ASSIGNMENTS_MOST || judge_choice(judgement);
  const struct lock_class *class = &judgement->cycles->classes.items[cycle->classes[cycle->order[i]]];
  for (size_t m = 0; m < class->members.count; m++) {
    bool is_free = true;
    for (uint32_t j = 0; j < i; j++)
      is_free &= cycle->chosen[cycle->order[j]]->thread != class->members.items[m]->thread;
    cycle->chosen[cycle->order[i]] = class->members.items[m];
    if (is_free && choose(judgement, i + 1))
      return true;
  }
  return false;
}

static void judge(struct lock_cycles *cycles, struct lock_cycle *cycle) {
  struct judgement judgement = {.cycles = cycles, .cycle = cycle};
  judgement.best = arena_resize(cycles->arena, NULL, cycle->length * sizeof(struct dependency *));
  judgement.at = arena_resize(cycles->arena, NULL, cycle->length * sizeof *judgement.at);
  cycle->verdict = VERDICT_IMPOSSIBLE;
  for (uint32_t i = 0; i < cycle->length; i++)
    judgement.best[i] = cycle->chosen[i];
  choose(&judgement, 0);
  cycles->assignments_were_cut |= judgement.tried > ASSIGNMENTS_MOST;
  for (uint32_t i = 0; i < cycle->length; i++)
    cycle->chosen[i] = judgement.best[i];
  if (cycle->verdict == VERDICT_IMPOSSIBLE)
    cycle->why_not = cycle->needs_writer && !judgement.was_tried ? WHY_READERS : WHY_ORDERED;
  if (cycle->why_not == WHY_READERS)
    cycle->culprit = lock_cycle_lock(cycles, cycle, 0);
  arena_release(cycles->arena, judgement.at);
  arena_release(cycles->arena, judgement.best);
}

void lock_cycles_judge(struct lock_cycles *cycles) {
  if (!cycles->possible.count)
    return;
  struct second_replay *replay = arena_alloc(cycles->arena, sizeof *replay);
  mark_candidates(cycles);
  dependencies_begin_second(cycles->deps);
  replay_again(cycles, replay);
  size_t kept = 0;
  for (size_t i = 0; i < cycles->possible.count; i++) {
    struct lock_cycle *cycle = &cycles->possible.items[i];
    judge(cycles, cycle);
    if (cycle->verdict != VERDICT_IMPOSSIBLE) {
      cycles->possible.items[kept++] = *cycle;
      continue;
    }
    cycles->impossible_count++;
    if (cycles->keep_impossible)
      vector_push(cycles->arena, &cycles->impossible) = *cycle;
  }
  cycles->possible.count = kept;
}
