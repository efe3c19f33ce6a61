/* SPDX-License-Identifier: MIT
 *
 * Queues, executors and futures of libsnarl: what is in a queue, whose task a future is, and who looked at a failure.
 * One thread per model.
 */
#include "parts.h"

static void queue_wait(struct event *event, bool is_put, bool is_join) {
  struct wait *wait = wait_begin(event, WAIT_QUEUE);
  wait->is_write = is_put;
  wait->is_join = is_join;
}

void queue_step(struct event *event) {
  struct object *queue = event->object;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_QUEUE_LIMIT:
    queue->limit = event->record->aux;
    break;
  case SNARLI_R_QUEUE_PUT_REQUESTED:
    queue_wait(event, true, false);
    break;
  case SNARLI_R_QUEUE_GET_REQUESTED:
    queue_wait(event, false, false);
    break;
  case SNARLI_R_QUEUE_JOIN_REQUESTED:
    queue_wait(event, false, true);
    break;
  case SNARLI_R_QUEUE_PUT:
    queue->items++;
    queue->unfinished++;
    wait_end(event->thread);
    break;
  case SNARLI_R_QUEUE_GOT:
    queue->items -= queue->items > 0;
    wait_end(event->thread);
    break;
  case SNARLI_R_QUEUE_TASK_DONE:
    queue->unfinished -= queue->unfinished > 0;
    break;
  case SNARLI_R_QUEUE_CLOSED:
    queue->is_done = true;
    break;
  default:
    wait_end(event->thread);
    break;
  }
}

static void task_stops(struct object *future) {
  if (future->runner)
    future->runner->runs_once--;
  future->runner = NULL;
}

static void submitted(struct event *event) {
  struct object *future = event->object;
  struct thread *thread = event->thread;
  bool is_known = thread->chosen && thread->chosen->serial == thread->chosen_serial;
  future->pool = is_known ? thread->chosen : NULL;
  future->pool_serial = is_known ? thread->chosen_serial : 0;
  future->created = origin_of(event);
  future->is_queued = is_known;
  if (is_known)
    thread->chosen->items++;
  thread->chosen = NULL;
}

/* It is not among its executor's tasks that have not begun any more: one that began, was cancelled (which is recorded
 * before it is known whether it began first), or that a closed executor did not take. */
static void leaves_pool(struct object *future) {
  struct object *pool = future->pool;
  if (!future->is_queued)
    return;
  future->is_queued = false;
  if (pool && pool->serial == future->pool_serial)
    pool->items -= pool->items > 0;
}

static void task_ended(struct event *event) {
  struct object *future = event->object;
  task_stops(future);
  future->is_done = true;
  future->has_failed = event->record->arg != 0;
  future->runs = (struct origin){event->process->index, 0, event->record->time, event->thread->serial};
}

/* Of a task whose failure nobody looked at. One for each place of submission; the first one's worker is kept. */
static void exception_lost(struct model *model, struct object *future) {
  for (size_t i = 0; i < model->lost.count; i++) {
    struct lost_exception *known = &model->lost.items[i];
    if (!known->is_child && known->submitted.process == future->created.process &&
        known->submitted.stack == future->created.stack) {
      known->count++;
      return;
    }
  }
  struct lost_exception *lost = &vector_push(model->arena, &model->lost);
  *lost = (struct lost_exception){.submitted = future->created, .failed = future->runs, .count = 1};
  lost->worker = thread_of_serial(model, future->runs.thread);
  if (lost->worker)
    lost->worker->pins++;
}

void future_note_lost(struct model *model, struct object *future) {
  if (future->has_failed && !future->was_looked_at && !future->is_doubted)
    exception_lost(model, future);
}

static void pool_dropped(struct model *model, const struct event *event) {
  vector_push(model->arena, &model->dropped) =
      (struct dropped_work){event->object, event->thread, origin_of(event), event->record->arg};
  event->object->pins++;
  event->thread->pins++;
}

static void executor_step(struct model *model, struct event *event) {
  struct object *object = event->object;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_EXECUTOR_LIMIT:
    object->limit = event->record->aux;
    break;
  case SNARLI_R_EXECUTOR_WORKER:
    event->thread->works_for = object;
    event->thread->works_for_serial = object->serial;
    break;
  case SNARLI_R_EXECUTOR_SHUT_DOWN:
    object->is_done = true;
    break;
  case SNARLI_R_EXECUTOR_CHOSEN:
    event->thread->chosen = object;
    event->thread->chosen_serial = object->serial;
    break;
  case SNARLI_R_EXECUTOR_IDLE:
    wait_begin(event, WAIT_WORK);
    break;
  case SNARLI_R_EXECUTOR_COLLECTS:
    wait_begin(event, WAIT_RESULTS);
    break;
  case SNARLI_R_EXECUTOR_COLLECTED:
    wait_end(event->thread);
    break;
  case SNARLI_R_EXECUTOR_DROPPED:
    pool_dropped(model, event);
    break;
  default:
    break;
  }
}

void future_step(struct model *model, struct event *event) {
  struct object *object = event->object;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_FUTURE_SUBMITTED:
    submitted(event);
    break;
  case SNARLI_R_TASK_BEGUN:
    wait_end(event->thread);
    leaves_pool(object);
    task_stops(object);
    object->is_done = false;
    object->runner = event->thread;
    object->runner->runs_once++;
    break;
  case SNARLI_R_TASK_ENDED:
    task_ended(event);
    break;
  case SNARLI_R_FUTURE_CANCELLED:
    object->is_done |= !object->runner;
    leaves_pool(object);
    break;
  case SNARLI_R_FUTURE_WAIT_REQUESTED:
    wait_begin(event, WAIT_FUTURE);
    break;
  case SNARLI_R_FUTURE_WAIT_RETURNED:
    object->was_looked_at |= event->record->arg != 0;
    wait_end(event->thread);
    break;
  case SNARLI_R_FUTURE_WAIT_FAILED:
    wait_end(event->thread);
    break;
  case SNARLI_R_FUTURE_ENDED:
    leaves_pool(object);
    future_note_lost(model, object);
    object_retire(model, object);
    break;
  default:
    executor_step(model, event);
    break;
  }
}
