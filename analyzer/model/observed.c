/* SPDX-License-Identifier: MIT
 *
 * The order of this run (see observed.h). One thread per value.
 */
#include "observed.h"

void observed_init(struct observed *observed, struct arena *arena, uint32_t processes) {
  *observed = (struct observed){.arena = arena};
  clocks_init(&observed->clocks, arena);
  observed->processes = arena_alloc(arena, ((size_t)processes + 1) * sizeof *observed->processes);
}

static struct observed_thread *thread_of(struct observed *observed, const struct thread *thread) {
  while (observed->threads.count <= thread->place)
    vector_push(observed->arena, &observed->threads) = (struct observed_thread){.epoch = 1};
  return &observed->threads.items[thread->place];
}

static void join(struct observed *observed, struct clock **clock, struct clock *other) {
  struct clock *joined = clock_join(&observed->clocks, *clock, other);
  clock_drop(&observed->clocks, *clock);
  *clock = joined;
}

static void set(struct observed *observed, struct clock **clock, struct clock *to) { /* takes `to` over */
  clock_drop(&observed->clocks, *clock);
  *clock = to;
}

static struct clock *hand_out(struct observed *observed, const struct thread *thread) {
  struct observed_thread *own = thread_of(observed, thread);
  return clock_set(&observed->clocks, own->knows, thread->serial, own->epoch++);
}

static void hand_to(struct observed *observed, struct clock **clock, const struct thread *thread) {
  struct clock *handed = hand_out(observed, thread);
  join(observed, clock, handed);
  clock_drop(&observed->clocks, handed);
}

static void learn(struct observed *observed, const struct thread *thread, struct clock *clock) {
  join(observed, &thread_of(observed, thread)->knows, clock);
}

uint32_t observed_epoch(struct observed *observed, const struct thread *thread) {
  return thread_of(observed, thread)->epoch;
}

uint32_t observed_knows(struct observed *observed, const struct thread *thread, uint32_t serial) {
  return clock_get(thread_of(observed, thread)->knows, serial);
}

/* Objects of the model by their serial; whatever else a record names by the number in it, in all processes. */
static uint64_t key_of(const struct event *event) {
  if (event->touched)
    return map_mix(event->touched->serial) | 1;
  return map_mix(event->record->object ^ (uint64_t)event->info->family << 56) & ~1ull;
}

static struct observed_object *object_of(struct observed *observed, uint64_t key) {
  uint32_t place = map_get(&observed->objects, key);
  if (place == MAP_NONE && observed->free_given.count) {
    place = observed->free_given.items[--observed->free_given.count];
    map_put(observed->arena, &observed->objects, key, place);
  } else if (place == MAP_NONE) {
    place = (uint32_t)observed->given.count;
    vector_push(observed->arena, &observed->given) = (struct observed_object){.given = NULL};
    map_put(observed->arena, &observed->objects, key, place);
  }
  return &observed->given.items[place];
}

void observed_drop_object(struct observed *observed, const struct object *object) {
  uint64_t key = map_mix(object->serial) | 1;
  uint32_t place = map_get(&observed->objects, key);
  if (place == MAP_NONE)
    return;
  struct observed_object *given = &observed->given.items[place];
  set(observed, &given->given, NULL);
  set(observed, &given->reads, NULL);
  set(observed, &given->gathering, NULL);
  map_remove(&observed->objects, key);
  vector_push(observed->arena, &observed->free_given) = place;
}

void observed_drop_thread(struct observed *observed, const struct thread *thread) {
  struct observed_thread *own = thread_of(observed, thread);
  if (thread->process->first->parent) /* who waits for the process comes after this thread as well */
    join(observed, &observed->processes[thread->process->index].gone, own->end);
  set(observed, &own->knows, NULL);
  set(observed, &own->fork, NULL);
  set(observed, &own->end, NULL);
  own->epoch = 1;
}

static void thread_order(struct observed *observed, const struct event *event) {
  struct thread *other = event->other;
  unsigned type = event->record->type;
  bool goes_on = type == SNARLI_R_FIBER_SWITCHED || type == SNARLI_R_FIBER_SWITCHED_UNORDERED; /* on one thread */
  if ((type == SNARLI_R_THREAD_CREATE_REQUESTED || goes_on) && other) {
    struct clock *handed = hand_out(observed, event->thread);
    learn(observed, other, handed);
    clock_drop(&observed->clocks, handed);
  } else if (event->record->type == SNARLI_R_THREAD_END) {
    set(observed, &thread_of(observed, event->thread)->end, hand_out(observed, event->thread));
  } else if (event->record->type == SNARLI_R_THREAD_JOINED && other && other->is_ended) {
    learn(observed, event->thread, thread_of(observed, other)->end);
  }
}

/* Whoever has waited for the end of a process comes after all of its threads. */
static void reap(struct observed *observed, struct model *model, const struct event *event) {
  for (size_t i = 0; i < model->threads.count; i++) {
    struct thread *thread = model->threads.items[i];
    if (!thread || thread->process->first != event->child->first)
      continue;
    struct clock *handed = hand_out(observed, thread); /* may move the threads */
    learn(observed, event->thread, handed);
    clock_drop(&observed->clocks, handed);
  }
  for (uint32_t i = 0; i < model->process_count; i++)
    if (model->processes[i].first == event->child->first)
      learn(observed, event->thread, observed->processes[i].gone);
}

static void process_order(struct observed *observed, struct model *model, const struct event *event) {
  struct observed_process *child = event->child ? &observed->processes[event->child->index] : NULL;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_FORK_REQUESTED:
    set(observed, &thread_of(observed, event->thread)->fork, hand_out(observed, event->thread));
    break;
  case SNARLI_R_FORKED:
    if (child)
      set(observed, &child->fork, clock_keep(thread_of(observed, event->thread)->fork));
    break;
  case SNARLI_R_EXEC_REQUESTED:
    set(observed, &observed->processes[event->process->index].exec, hand_out(observed, event->thread));
    break;
  case SNARLI_R_WAIT_RETURNED:
    if (child)
      reap(observed, model, event);
    break;
  default:
    break;
  }
}

static void first_of_process(struct observed *observed, const struct event *event) {
  const struct observed_process *process = &observed->processes[event->process->index];
  if (event->process->info->execed && event->process->parent)
    learn(observed, event->thread, observed->processes[event->process->parent->index].exec);
  else if (process->fork)
    learn(observed, event->thread, process->fork);
  else if (event->other && event->other != event->thread)
    learn(observed, event->thread, thread_of(observed, event->other)->fork);
}

/* Arrivals are handed to those who pass together; if their number is not known, to all who pass later. */
static void barrier_order(struct observed *observed, const struct event *event) {
  struct observed_object *object = object_of(observed, key_of(event));
  bool is_counted = event->object && event->object->needed;
  if (event->record->type == SNARLI_R_BARRIER_REQUESTED) {
    hand_to(observed, is_counted ? &object->gathering : &object->given, event->thread);
    if (event->is_complete) {
      set(observed, &object->given, object->gathering);
      object->gathering = NULL;
    }
  } else if (event->record->type == SNARLI_R_BARRIER_BROKEN) {
    set(observed, &object->gathering, NULL);
  } else if (event->record->type == SNARLI_R_BARRIER_PASSED) {
    learn(observed, event->thread, object->given);
  }
}

static bool is_reading(const struct event *event) {
  unsigned type = event->record->type;
  bool is_release = type == SNARLI_R_RWLOCK_RELEASED || type == SNARLI_R_LOCK_RELEASED;
  return type == SNARLI_R_RWLOCK_READ_ACQUIRED || type == SNARLI_R_LOCK_READ_ACQUIRED ||
         (is_release && event->gave && !event->is_write);
}

static void object_order(struct observed *observed, const struct event *event) {
  struct observed_object *object = object_of(observed, key_of(event));
  if (event->info->phase == SNARLI_RELEASE) {
    hand_to(observed, is_reading(event) ? &object->reads : &object->given, event->thread);
    return;
  }
  learn(observed, event->thread, object->given);
  if (!is_reading(event))
    learn(observed, event->thread, object->reads);
  if (event->heir_of && event->heir_of != event->thread) { /* whose end has released it */
    struct clock *handed = hand_out(observed, event->heir_of);
    learn(observed, event->thread, handed);
    clock_drop(&observed->clocks, handed);
  }
}

static bool is_handed_over(const struct event *event) {
  if (event->record->type == SNARLI_R_COND_WAIT_RETURNED && event->record->arg) /* its time was over */
    return false;
  return event->info->object != SNARLI_OBJECT_NONE &&
         (event->info->phase == SNARLI_RELEASE || event->info->phase == SNARLI_ACQUIRE);
}

void observed_step(struct observed *observed, struct model *model, const struct event *event) {
  if (event->is_first)
    first_of_process(observed, event);
  if (event->info->family == SNARLI_THREAD)
    thread_order(observed, event);
  else if (event->info->family == SNARLI_PROCESS)
    process_order(observed, model, event);
  else if (event->info->family == SNARLI_BARRIER)
    barrier_order(observed, event);
  else if (event->info->family != SNARLI_META && is_handed_over(event))
    object_order(observed, event);
}
