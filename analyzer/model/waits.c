/* SPDX-License-Identifier: MIT
 *
 * Condition variables, barriers, events, one-time initialization, annotated order, bare futexes. One thread per model.
 */
#include "parts.h"

static void cond_returned(struct event *event) {
  struct object *cond = event->object;
  if (event->thread->wait.kind != WAIT_COND)
    return;
  event->is_woken = !event->record->arg;
  cond->was_woken |= event->is_woken;
  event->is_timed = event->thread->wait.ends;
  if (event->is_woken && cond->signals)
    cond->signals--;
  wait_end(event->thread);
}

static void cond_notified(struct event *event) {
  struct object *cond = event->object;
  cond->unheard = cond->waiters ? (struct origin){0} : origin_of(event);
  if (event->record->type == SNARLI_R_COND_BROADCAST)
    cond->signals = cond->waiters;
  else
    cond->signals += cond->signals < cond->waiters;
}

void cond_step(struct model *model, struct event *event) {
  struct object *cond = event->object;
  (void)model;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_COND_WAIT_REQUESTED:
    wait_begin(event, WAIT_COND);
    cond->waiters++;
    break;
  case SNARLI_R_COND_WAIT_RETURNED:
    cond_returned(event);
    break;
  case SNARLI_R_COND_SIGNALLED:
  case SNARLI_R_COND_BROADCAST:
    cond_notified(event);
    break;
  default:
    break;
  }
}

static void barrier_arrived(struct event *event) {
  struct object *barrier = event->object;
  wait_begin(event, WAIT_BARRIER)->round = barrier->round;
  if (!barrier->needed || ++barrier->arrived < barrier->needed)
    return;
  barrier->arrived = 0;
  barrier->round++;
  event->is_complete = true;
}

void barrier_step(struct model *model, struct event *event) {
  (void)model;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_BARRIER_COUNT:
    event->object->needed = event->record->aux;
    break;
  case SNARLI_R_BARRIER_REQUESTED:
    barrier_arrived(event);
    break;
  case SNARLI_R_BARRIER_PASSED:
    if (event->thread->wait.kind == WAIT_BARRIER && event->thread->wait.round == event->object->round)
      event->object->needed = 0; /* it let somebody through too early: we do not know its count */
    wait_end(event->thread);
    break;
  case SNARLI_R_BARRIER_FAILED:
    wait_end(event->thread);
    break;
  case SNARLI_R_BARRIER_BROKEN: /* who has arrived comes back without having passed */
    event->object->arrived = 0;
    event->object->round++;
    break;
  default:
    break;
  }
}

/* Who asks while it is set comes back at once: it was set after the caller looked. */
void event_step(struct event *event) {
  struct object *object = event->object;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_EVENT_WAIT_REQUESTED:
    wait_begin(event, WAIT_EVENT)->round = object->round - object->is_done;
    break;
  case SNARLI_R_EVENT_WAIT_RETURNED:
  case SNARLI_R_EVENT_WAIT_FAILED:
    wait_end(event->thread);
    break;
  case SNARLI_R_EVENT_SET:
    object->is_done = true;
    object->round++;
    break;
  case SNARLI_R_EVENT_CLEARED:
    object->is_done = false;
    break;
  default:
    break;
  }
}

static void once_stops(struct object *once) {
  if (once->runner)
    once->runner->runs_once--;
  once->runner = NULL;
}

void once_step(struct model *model, struct event *event) {
  struct object *once = event->object;
  (void)model;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_ONCE_REQUESTED:
    wait_begin(event, WAIT_ONCE);
    break;
  case SNARLI_R_ONCE_BEGUN:
    wait_end(event->thread);
    once_stops(once);
    once->runner = event->thread;
    once->runner->runs_once++;
    once->runs = origin_of(event);
    break;
  case SNARLI_R_ONCE_ENDED:
    once_stops(once);
    once->is_done = true;
    break;
  case SNARLI_R_ONCE_PASSED:
    wait_end(event->thread);
    once->is_done = true;
    break;
  default:
    break;
  }
}

/* Who says BEFORE: with several, nothing is certain of which of them an AFTER has seen. */
void order_step(struct event *event) {
  struct object *order = event->object;
  if (event->record->type != SNARLI_R_HAPPENS_BEFORE)
    return;
  order->has_posters |= order->posts && order->poster != event->thread->serial;
  order->poster = event->thread->serial;
  order->posts++;
}

/* What a futex is part of nobody knows: who could end the wait neither. */
void futex_step(struct event *event) {
  if (event->record->type == SNARLI_R_FUTEX_WAIT_REQUESTED)
    wait_begin(event, WAIT_FUTEX)->futex = event->record->object;
  else
    wait_end(event->thread);
}
