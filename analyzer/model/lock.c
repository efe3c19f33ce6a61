/* SPDX-License-Identifier: MIT
 *
 * Mutexes, rwlocks, spinlocks and annotated locks: who holds them and who asks. One thread per model.
 */
#include "parts.h"

static bool is_write_record(unsigned type) {
  return type != SNARLI_R_RWLOCK_READ_REQUESTED && type != SNARLI_R_RWLOCK_READ_ACQUIRED &&
         type != SNARLI_R_LOCK_READ_REQUESTED && type != SNARLI_R_LOCK_READ_ACQUIRED;
}

/* The asking is the moment that matters for the order of locks: it may never be answered. */
static void wants(struct event *event) {
  event->wants = true;
  event->is_write = is_write_record(event->record->type);
  event->is_try = event->record->arg & SNARLI_F_TRY;
  event->is_timed = event->record->arg & SNARLI_F_TIMED;
  struct object *object = event->object;
  if (!event->is_write)
    return;
  object->has_writers |= object->writer && object->writer != event->thread->serial;
  if (!object->writer)
    object->writer = event->thread->serial;
}

static void requested(struct event *event) {
  wait_begin(event, WAIT_LOCK)->is_write = is_write_record(event->record->type);
  wants(event);
}

/* Somebody else holds it in a mode that excludes this one. */
static bool is_excluded(const struct object *object, const struct thread *thread, bool is_write) {
  for (size_t i = 0; i < object->holders.count; i++) {
    struct thread *holder = object->holders.items[i];
    if (holder != thread && (is_write || thread_hold(holder, object)->is_write))
      return true;
  }
  return false;
}

static void take_again(struct model *model, struct event *event, struct hold *hold) {
  hold->count++;
  bool is_plain = event->object->family == SNARLI_MUTEX || event->object->family == SNARLI_LOCK;
  if (is_plain && !event->object->has_type)
    event->object->type |= SNARLI_T_RECURSIVE; /* initialized statically: now we know */
  else if (hold->is_write && !(event->object->type & SNARLI_T_RECURSIVE))
    object_doubt(model, event->object); /* its release is missing */
}

static void acquired(struct model *model, struct event *event) {
  struct object *object = event->object;
  struct thread *thread = event->thread;
  bool in_wait = event->record->arg & SNARLI_F_IN_WAIT, is_write = is_write_record(event->record->type);
  bool was_asked = thread->wait.kind == WAIT_LOCK && thread->wait.object == object;
  if (thread->wait.kind == WAIT_COND)
    thread->wait.gave_lock = false;
  else
    wait_end(thread);
  if (object->is_doubted)
    return;
  if (!was_asked || in_wait)
    wants(event);
  if (event->record->arg & SNARLI_F_OWNER_DIED) {
    event->heir_of = object->holders.count == 1 ? object->holders.items[0] : NULL;
    holds_clear(object);
  }
  object_adopt(model, object);
  struct hold *hold = thread_hold(thread, object);
  if (hold)
    take_again(model, event, hold);
  else if (is_excluded(object, thread, is_write))
    object_doubt(model, object);
  else
    event->took = hold_add(model, thread, object, is_write, origin_of(event));
}

/* The call gives up nothing: it will fail, because the mutex checks its owner. */
static bool is_checked(const struct object *object) {
  return object->type & (SNARLI_T_ERRORCHECK | SNARLI_T_RECURSIVE | SNARLI_T_ROBUST);
}

static void released(struct model *model, struct event *event) {
  struct object *object = event->object;
  struct thread *thread = event->thread;
  if (event->record->arg & SNARLI_F_IN_WAIT && thread->wait.kind == WAIT_COND) {
    thread->wait.gave_lock = true;
    thread->wait.mutex = object;
    thread->wait.mutex_serial = object->serial;
  }
  if (object->is_doubted)
    return;
  struct hold *hold = thread_hold(thread, object);
  if (!hold) {
    if (object->orphaned_by) /* the child of a fork unlocks what it found locked */
      object_adopt(model, object);
    else if (!is_checked(object))
      object_doubt(model, object);
    return;
  }
  if (--hold->count && !(event->record->arg & SNARLI_F_IN_WAIT))
    return;
  event->gave = true;
  event->gave_epoch = hold->epoch;
  event->is_write = hold->is_write;
  hold_drop(thread, object);
}

static void failed(struct model *model, struct event *event) {
  (void)model;
  if (event->thread->wait.kind == WAIT_COND) /* it came back without the mutex */
    event->thread->wait.gave_lock = false;
  else
    wait_end(event->thread);
}

void lock_step(struct model *model, struct event *event) {
  switch (event->info->phase) {
  case SNARLI_REQUEST:
    requested(event);
    break;
  case SNARLI_ACQUIRE:
    acquired(model, event);
    break;
  case SNARLI_RELEASE:
    released(model, event);
    break;
  case SNARLI_FAIL:
    if (event->record->type == SNARLI_R_MUTEX_RELEASE_FAILED || event->record->type == SNARLI_R_RWLOCK_RELEASE_FAILED) {
      if (!is_checked(event->object))
        object_doubt(model, event->object); /* held or not? */
    } else {
      failed(model, event);
    }
    break;
  case SNARLI_NOTE:
    break;
  }
}
