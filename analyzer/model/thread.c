/* SPDX-License-Identifier: MIT
 *
 * Threads: their lives, names, handles and what they hold. One thread per model.
 */
#include "parts.h"
#include <string.h>

static struct thread *thread_new(struct model *model, struct process *process, uint32_t index) {
  struct thread *thread = model->spare_threads.count ? model->spare_threads.items[--model->spare_threads.count]
                                                     : arena_alloc(model->arena, sizeof *thread);
  thread->serial = ++model->thread_serials;
  thread->process = process;
  thread->index = index;
  if (model->free_threads.count) {
    thread->place = model->free_threads.items[--model->free_threads.count];
  } else {
    thread->place = (uint32_t)model->threads.count;
    vector_push(model->arena, &model->threads) = NULL;
  }
  model->threads.items[thread->place] = thread;
  map_put(model->arena, &process->threads, index, thread->place);
  return thread;
}

#define NEAR 4096u /* indices below this are found without hashing */

struct thread *thread_at(struct model *model, struct process *process, uint32_t index) {
  if (index < process->near_threads.count && process->near_threads.items[index])
    return process->near_threads.items[index];
  uint32_t place = map_get(&process->threads, index);
  struct thread *thread = place != MAP_NONE ? model->threads.items[place] : thread_new(model, process, index);
  while (index < NEAR && process->near_threads.count <= index)
    vector_push(model->arena, &process->near_threads) = NULL;
  if (index < NEAR)
    process->near_threads.items[index] = thread;
  return thread;
}

struct thread *thread_enter(struct model *model, struct process *process, const struct trace_record *record) {
  struct thread *thread = thread_at(model, process, record->thread);
  thread->tid = record->tid;
  if (!thread->is_begun) {
    thread->is_begun = true;
    thread->begun = (struct origin){process->index, 0, record->time, thread->serial};
  }
  return thread;
}

struct thread *thread_of_handle(struct model *model, struct process *process, uint64_t handle) {
  uint32_t place = map_get(&process->handles, handle);
  struct thread *thread = place == MAP_NONE ? NULL : model->threads.items[place];
  return thread && thread->process == process && thread->handle == handle ? thread : NULL;
}

void thread_set_handle(struct model *model, struct thread *thread, uint64_t handle) {
  if (!handle)
    return;
  thread->handle = handle;
  map_put(model->arena, &thread->process->handles, handle, thread->place);
}

struct thread *thread_of_serial(const struct model *model, uint32_t serial) {
  for (size_t i = 0; i < model->threads.count; i++)
    if (model->threads.items[i] && model->threads.items[i]->serial == serial)
      return model->threads.items[i];
  return NULL;
}

struct hold *thread_hold(struct thread *thread, const struct object *object) {
  for (size_t i = thread->holds.count; i--;)
    if (thread->holds.items[i].object == object)
      return &thread->holds.items[i];
  return NULL;
}

struct hold *hold_add(struct model *model, struct thread *thread, struct object *object, bool is_write,
                      struct origin taken) {
  vector_push(model->arena, &object->holders) = thread;
  struct hold *hold = &vector_push(model->arena, &thread->holds);
  *hold = (struct hold){.object = object, .taken = taken, .count = 1, .is_write = is_write};
  return hold;
}

void hold_drop(struct thread *thread, struct object *object) {
  struct hold *hold = thread_hold(thread, object);
  if (hold) {
    struct hold *end = thread->holds.items + thread->holds.count--;
    memmove(hold, hold + 1, (size_t)(end - hold - 1) * sizeof *hold);
  }
  for (size_t i = 0; i < object->holders.count; i++)
    if (object->holders.items[i] == thread) {
      object->holders.items[i] = object->holders.items[--object->holders.count];
      break;
    }
}

/* Records of this thread are missing: nothing that it holds or waits for is known any more. */
void thread_lose(struct model *model, struct thread *thread) {
  wait_end(thread);
  while (thread->holds.count)
    object_doubt(model, thread->holds.items[thread->holds.count - 1].object);
}

static void thread_drop(struct model *model, struct thread *thread) {
  if (model->drop_thread)
    model->drop_thread(model->context, thread);
  channel_forget_thread(model, thread);
  model->threads.items[thread->place] = NULL;
  vector_push(model->arena, &model->free_threads) = thread->place;
  struct thread empty = {.holds = thread->holds};
  empty.holds.count = 0;
  *thread = empty;
  vector_push(model->arena, &model->spare_threads) = thread;
}

/* It leaves the maps whether it is pinned or not: serials must be the same in every replay. */
void thread_retire_if_over(struct model *model, struct thread *thread) {
  if (!thread->is_ended || !(thread->is_joined || thread->is_detached) || thread->holds.count || thread->runs_once ||
      thread->is_gone)
    return;
  map_remove(&thread->process->threads, thread->index);
  if (thread->index < thread->process->near_threads.count)
    thread->process->near_threads.items[thread->index] = NULL;
  if (thread->handle && map_get(&thread->process->handles, thread->handle) == thread->place)
    map_remove(&thread->process->handles, thread->handle);
  thread->is_gone = true;
  if (!thread->pins)
    thread_drop(model, thread);
}

void thread_unpin(struct model *model, struct thread *thread) {
  if (!--thread->pins && thread->is_gone)
    thread_drop(model, thread);
}

static void created(struct model *model, struct event *event) {
  if (!event->thread->creating) /* its request is missing */
    return;
  struct thread *other = thread_at(model, event->process, event->thread->creating);
  event->thread->creating = 0;
  event->other = other;
  thread_set_handle(model, other, event->record->object);
  other->is_detached |= (event->record->arg & SNARLI_F_DETACHED) != 0;
}

static void joined(struct model *model, struct event *event) {
  wait_end(event->thread);
  struct thread *other = thread_of_handle(model, event->process, event->record->object);
  if (!other)
    return;
  other->is_joined = true;
  other->joined = origin_of(event);
  model->over = other;
  event->other = other;
}

static void create_requested(struct model *model, struct event *event) {
  uint32_t index = (uint32_t)event->record->object;
  if (!index)
    return;
  struct thread *other = thread_at(model, event->process, index);
  event->thread->creating = index;
  event->other = other;
  other->created = origin_of(event);
  other->blocked = event->thread->blocked;
}

static void begun(struct model *model, struct event *event) {
  struct thread *thread = event->thread;
  thread_set_handle(model, thread, event->record->object);
  thread->start = event->record->aux;
  thread->begun = origin_of(event);
}

static void named(struct model *model, struct event *event) {
  struct thread *other = thread_of_handle(model, event->process, event->record->object);
  const char *name = trace_string(model->trace, event->process->index, event->record->aux);
  if (other && name && *name)
    other->name = name;
}

static void create_failed(struct model *model, struct event *event) {
  struct thread *other = thread_at(model, event->process, (uint32_t)event->record->object);
  if (other->is_begun || other == event->thread)
    return;
  event->thread->creating = 0;
  other->is_ended = other->is_detached = true;
  model->over = other;
}

static void switched(struct model *model, struct event *event) {
  struct thread *thread = event->thread, *other = thread_at(model, event->process, (uint32_t)event->record->object);
  uint32_t carrier = thread->carrier ? thread->carrier : thread->serial;
  event->other = other;
  thread->has_fibers = other->has_fibers = true;
  if (other->serial != carrier)
    other->carrier = carrier;
  for (size_t i = 0; i < thread->holds.count; i++)
    thread->holds.items[i].was_left = true;
  if (other->wait.kind == WAIT_TURN)
    wait_end(other);
  if (thread->wait.kind == WAIT_NONE)
    wait_begin(event, WAIT_TURN);
}

void thread_step(struct model *model, struct event *event) {
  struct thread *thread = event->thread;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_THREAD_BEGIN:
    begun(model, event);
    break;
  case SNARLI_R_THREAD_END:
    thread->is_ended = true;
    model->over = thread;
    thread->ended = origin_of(event);
    break;
  case SNARLI_R_THREAD_CREATE_REQUESTED:
    create_requested(model, event);
    break;
  case SNARLI_R_THREAD_CREATED:
    created(model, event);
    break;
  case SNARLI_R_THREAD_CREATE_FAILED:
    create_failed(model, event);
    break;
  case SNARLI_R_THREAD_JOIN_REQUESTED: {
    struct wait *wait = wait_begin(event, WAIT_JOIN);
    wait->target = thread_of_handle(model, event->process, event->record->object);
    wait->target_serial = wait->target ? wait->target->serial : 0;
    break;
  }
  case SNARLI_R_THREAD_JOINED:
    joined(model, event);
    break;
  case SNARLI_R_THREAD_JOIN_FAILED:
    wait_end(thread);
    break;
  case SNARLI_R_THREAD_DETACHED:
    event->other = thread_of_handle(model, event->process, event->record->object);
    if (event->other)
      event->other->is_detached = true;
    model->over = event->other;
    break;
  case SNARLI_R_SIGNAL_MASK: /* one that a handler sets ends with the handler */
    if (!model_is_in_handler(model, event->process, event->record->aux))
      thread->blocked = event->record->object;
    break;
  case SNARLI_R_THREAD_NAMED:
    named(model, event);
    break;
  case SNARLI_R_FIBER_SWITCHED:
  case SNARLI_R_FIBER_SWITCHED_UNORDERED:
    switched(model, event);
    break;
  default:
    break;
  }
}
