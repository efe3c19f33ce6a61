/* SPDX-License-Identifier: MIT
 *
 * Semaphores: their values and roles. One whose first value is 1 and that is only ever posted by the thread that
 * acquired it last is a lock (CPython's threading.Lock and multiprocessing.Lock are); its acquirer holds it. As soon as
 * anything else happens it is a count or a signal, for good: nobody holds it. One thread per model.
 */
#include "parts.h"
#include <errno.h>

void sem_becomes_count(struct model *model, struct object *sem) {
  if (sem->role == SEM_COUNT)
    return;
  sem->role = SEM_COUNT;
  object_forget(model, sem);
}

void sem_has_value(struct model *model, struct event *event) {
  struct object *sem = event->object;
  if (sem->has_value || sem->posts || sem->acquires) /* a named one that was opened once more */
    return;
  sem->has_value = true;
  sem->value = sem->first_value = event->record->aux;
  sem->role = sem->first_value == 1 ? SEM_LOCK : SEM_COUNT;
  if (sem->role == SEM_COUNT)
    sem_becomes_count(model, sem);
}

static void initialized(struct event *event) {
  struct object *sem = event->object;
  sem->init_thread = event->thread->serial;
  sem->init_step = event->thread->sem_steps;
}

uint64_t fallback_key(const struct model *model, const struct process *process, uint32_t stack) {
  uint64_t pc = 0, hash = 14695981039346656037ull; /* FNV-1a */
  trace_stack(model->trace, process->index, stack, &pc, 1);
  for (const char *c = process->info->exe ? process->info->exe : ""; *c; c++)
    hash = (hash ^ (unsigned char)*c) * 1099511628211ull;
  return hash ^ map_mix(pc);
}

/* After a failed try: does the program wait, as CPython's lock does, or do without? */
static void after_try(struct model *model, struct event *event, bool waits) {
  struct thread *thread = event->thread;
  struct object *tried = thread->failed_try;
  thread->failed_try = NULL;
  if (!tried || tried->serial != thread->failed_try_serial)
    return;
  if (waits && tried == event->object)
    map_put(model->arena, &model->fallback, fallback_key(model, event->process, thread->failed_try_stack), 1);
  else
    tried->was_tried = true;
}

static void wants(struct event *event) {
  event->wants = event->is_write = true;
  event->is_try = event->record->arg & SNARLI_F_TRY;
  event->is_timed = event->record->arg & SNARLI_F_TIMED;
}

void sem_requested(struct model *model, struct event *event) {
  struct object *sem = event->object;
  bool is_try = event->record->arg & SNARLI_F_TRY;
  wait_begin(event, WAIT_SEM);
  if (!is_try)
    after_try(model, event, true);
  if (!is_try && sem->role == SEM_LOCK && thread_hold(event->thread, sem))
    sem_becomes_count(model, sem); /* its holder waits for somebody else's post */
  if (sem->role == SEM_LOCK)
    wants(event);
}

static void count_acquirer(struct object *sem, const struct thread *thread) {
  sem->has_acquirers |= sem->acquires && sem->acquirer != thread->serial;
  sem->acquirer = thread->serial;
  sem->acquires++;
}

static void take(struct model *model, struct event *event, bool was_asked) {
  struct object *sem = event->object;
  if (sem->holders.count || sem->orphaned_by) { /* a second unit of a lock */
    sem_becomes_count(model, sem);
    return;
  }
  if (!was_asked)
    wants(event);
  if (sem->acquires == 1 && sem->init_thread == event->thread->serial && sem->init_step == event->thread->sem_steps)
    sem->was_held_at_birth = true;
  event->took = hold_add(model, event->thread, sem, true, origin_of(event));
}

void sem_acquired(struct model *model, struct event *event, uint32_t units) {
  struct object *sem = event->object;
  struct thread *thread = event->thread;
  bool was_asked = thread->wait.kind == WAIT_SEM && thread->wait.object == sem;
  after_try(model, event, false);
  wait_end(thread);
  if (sem->is_doubted)
    return;
  if (sem->has_value && (sem->value -= units) < 0) {
    object_doubt(model, sem);
    return;
  }
  count_acquirer(sem, thread);
  if (sem->role == SEM_LOCK)
    take(model, event, was_asked);
  thread->sem_steps++;
}

void sem_posted(struct model *model, struct event *event, uint32_t units) {
  struct object *sem = event->object;
  struct thread *thread = event->thread;
  after_try(model, event, false);
  thread->sem_steps++;
  if (sem->is_doubted)
    return;
  sem->value += units;
  sem->has_posters |= sem->posts && sem->poster != thread->serial;
  sem->poster = thread->serial;
  sem->posts++;
  if (sem->role != SEM_LOCK)
    return;
  struct hold *hold = thread_hold(thread, sem);
  if (!hold) {
    sem_becomes_count(model, sem);
    return;
  }
  event->gave = event->is_write = true;
  event->gave_epoch = hold->epoch;
  hold_drop(thread, sem);
}

void sem_failed(struct model *model, struct event *event) {
  struct thread *thread = event->thread;
  wait_end(thread);
  if (event->record->arg != EAGAIN)
    return;
  after_try(model, event, false);
  thread->failed_try = event->object;
  thread->failed_try_serial = event->object->serial;
  thread->failed_try_stack = event->record->aux;
}

void sem_step(struct model *model, struct event *event) {
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_SEM_INIT:
  case SNARLI_R_SEM_OPENED:
    initialized(event);
    name_bearer_made(event, SNARLI_SEM);
    if (!event->object->has_type)
      event->object->type = event->record->arg;
    break;
  case SNARLI_R_SEM_VALUE:
    sem_has_value(model, event);
    break;
  case SNARLI_R_SEM_UNLINKED:
    name_noted(model, event);
    break;
  case SNARLI_R_SEM_CLOSED:
    if (event->object->is_shared)
      object_leave(model, event->process, event->record->object);
    break;
  case SNARLI_R_SEM_REQUESTED:
    sem_requested(model, event);
    break;
  case SNARLI_R_SEM_ACQUIRED:
    sem_acquired(model, event, 1);
    break;
  case SNARLI_R_SEM_FAILED:
    sem_failed(model, event);
    break;
  case SNARLI_R_SEM_POSTED:
    sem_posted(model, event, 1);
    break;
  case SNARLI_R_SEM_POST_FAILED:
    object_doubt(model, event->object); /* its record came first and counted */
    break;
  default:
    break;
  }
}
