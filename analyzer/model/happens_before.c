/* SPDX-License-Identifier: MIT
 *
 * The two happens-before relations (see happens_before.h): which records order what, with stamps (ordering.h). Here are
 * threads, processes and what threads wait at; locks and channels have files of their own. One thread per value.
 */
#include "happens_before.h"
#include "ordering.h"

struct process_order {
  struct stamp fork, exec, gone;
  struct clock *signals;       /* what their senders knew, softly */
  struct stamp *first_signals; /* by signal: its first send */
};

void happens_before_init(struct happens_before *hb, struct arena *arena, uint32_t processes,
                         const struct map *mixed_sems) {
  *hb = (struct happens_before){.arena = arena, .mixed_sems = mixed_sems};
  clocks_init(&hb->clocks, arena);
  hb->processes = arena_alloc(arena, ((size_t)processes + 1) * sizeof *hb->processes);
}

struct moment happens_before_now(struct happens_before *hb, struct thread *thread) {
  const struct ordering *o = ordering_of(hb, &thread->order);
  return (struct moment){o->known.hard, o->known.soft, o->epoch, o->epoch + o->learned};
}

void happens_before_drop_thread(struct happens_before *hb, struct thread *thread) {
  if (thread->order && thread->process->first->parent) /* who waits for the process comes after this thread as well */
    stamp_join(hb, &hb->processes[thread->process->index].gone, thread->order->end);
  ordering_drop(hb, &thread->order);
}

void happens_before_drop_object(struct happens_before *hb, struct object *object) { ordering_drop(hb, &object->order); }

static void thread_order(struct happens_before *hb, const struct event *event) {
  struct thread *other = event->other;
  if (event->record->type == SNARLI_R_THREAD_CREATE_REQUESTED && other) {
    struct stamp stamp = order_hand_out(hb, event->thread);
    order_learn(hb, other, stamp);
    stamp_drop(hb, &stamp);
  } else if (event->record->type == SNARLI_R_FIBER_SWITCHED && other) { /* another run may schedule otherwise */
    order_hand_out_softly(hb, event->thread, &ordering_of(hb, &other->order)->known.soft);
  } else if (event->record->type == SNARLI_R_THREAD_END) {
    stamp_set(hb, &ordering_of(hb, &event->thread->order)->end, order_hand_out(hb, event->thread));
  } else if (event->record->type == SNARLI_R_THREAD_JOINED && other && other->is_ended) {
    order_learn(hb, event->thread, ordering_of(hb, &other->order)->end);
  }
}

/* Whoever has waited for the end of a process comes after all of its threads. */
static void reap(struct happens_before *hb, struct model *model, const struct event *event) {
  for (size_t i = 0; i < model->threads.count; i++) {
    struct thread *thread = model->threads.items[i];
    if (!thread || thread->process->first != event->child->first)
      continue;
    struct stamp stamp = order_hand_out(hb, thread);
    order_learn(hb, event->thread, stamp);
    stamp_drop(hb, &stamp);
  }
  for (uint32_t i = 0; i < model->process_count; i++)
    if (model->processes[i].first == event->child->first)
      order_learn(hb, event->thread, hb->processes[i].gone);
}

static void signal_sent(struct happens_before *hb, const struct event *event) {
  if (!event->signalled)
    return;
  struct process_order *order = &hb->processes[event->signalled->index];
  struct stamp stamp = order_hand_out(hb, event->thread);
  order_join(hb, &order->signals, stamp.soft);
  if (!order->first_signals)
    order->first_signals = arena_alloc(hb->arena, 256 * sizeof *order->first_signals);
  struct stamp *first = &order->first_signals[event->record->arg];
  if (!first->hard)
    *first = stamp_keep(stamp);
  stamp_drop(hb, &stamp);
}

/* A wait that a thread of the trace ended comes after what was sent so far; and if that one alone sends this signal,
 * after its first in every run. What comes from outside may come at any time. */
static void signal_came(struct happens_before *hb, struct model *model, const struct event *event) {
  struct process_order *order = &hb->processes[event->process->index];
  if (!event->record->object || !process_of_pid(model, (uint32_t)event->record->object))
    return;
  order_learn_softly(hb, event->thread, order->signals);
  if (order->first_signals && map_get(hb->mixed_sems, key_of_signal(event->process, event->record->arg)) == MAP_NONE)
    order_learn(hb, event->thread, order->first_signals[event->record->arg]);
}

static void process_order(struct happens_before *hb, struct model *model, const struct event *event) {
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_FORK_REQUESTED:
    stamp_set(hb, &ordering_of(hb, &event->thread->order)->fork, order_hand_out(hb, event->thread));
    break;
  case SNARLI_R_FORKED:
    if (event->child)
      stamp_set(hb, &hb->processes[event->child->index].fork, stamp_keep(ordering_of(hb, &event->thread->order)->fork));
    break;
  case SNARLI_R_EXEC_REQUESTED:
    stamp_set(hb, &hb->processes[event->process->index].exec, order_hand_out(hb, event->thread));
    break;
  case SNARLI_R_WAIT_RETURNED:
    if (event->child)
      reap(hb, model, event);
    break;
  case SNARLI_R_SIGNAL_SENT:
  case SNARLI_R_THREAD_SIGNALLED:
    signal_sent(hb, event);
    break;
  case SNARLI_R_SIGNAL_WAIT_RETURNED:
    signal_came(hb, model, event);
    break;
  default:
    break;
  }
}

static void first_of_process(struct happens_before *hb, const struct event *event) {
  struct process_order *order = &hb->processes[event->process->index];
  if (event->process->info->execed && event->process->parent)
    order_learn(hb, event->thread, hb->processes[event->process->parent->index].exec);
  else if (order->fork.hard)
    order_learn(hb, event->thread, order->fork);
  else if (event->other && event->other != event->thread)
    order_learn(hb, event->thread, ordering_of(hb, &event->other->order)->fork);
}

/* Only a wait that would not have ended by itself is ordered after its signals, and only after those since somebody
 * waits: CPython's interpreter lock passes on by a condition with short timeouts, which orders nothing for certain. */
static void cond_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE) {
    order_hand_out_softly(hb, event->thread, &o->given.soft);
  } else if (event->info->phase == SNARLI_REQUEST) {
    if (event->object->waiters == 1)
      stamp_drop(hb, &o->given);
  } else if (event->is_woken && !event->is_timed) {
    order_learn_softly(hb, event->thread, o->given.soft);
  }
}

static void barrier_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->record->type == SNARLI_R_BARRIER_REQUESTED) {
    struct stamp stamp = order_hand_out(hb, event->thread);
    stamp_join(hb, &o->gathering, stamp);
    stamp_drop(hb, &stamp);
    if (event->is_complete) {
      stamp_set(hb, &o->given, o->gathering);
      o->gathering = (struct stamp){NULL, NULL};
    }
  } else if (event->record->type == SNARLI_R_BARRIER_BROKEN) {
    stamp_drop(hb, &o->gathering);
  } else if (event->record->type == SNARLI_R_BARRIER_PASSED && event->object->needed) {
    order_learn(hb, event->thread, o->given);
  }
}

/* Setting an event, starting or ending a timer and putting into a queue come before what was seen of it, which may be
 * any of those so far. */
static void event_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE) {
    order_hand_out_softly(hb, event->thread, &o->given.soft);
  } else if (event->info->phase == SNARLI_ACQUIRE) {
    order_learn_softly(hb, event->thread, o->given.soft);
  }
}

static void once_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->record->type == SNARLI_R_ONCE_ENDED)
    stamp_set(hb, &o->given, order_hand_out(hb, event->thread));
  else if (event->record->type == SNARLI_R_ONCE_PASSED)
    order_learn(hb, event->thread, o->given);
}

/* AFTER has seen a BEFORE. If only one thread ever says it, then at least its first. */
static void annotated_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->record->type == SNARLI_R_HAPPENS_BEFORE) {
    struct stamp stamp = order_hand_out(hb, event->thread);
    order_join(hb, &o->given.soft, stamp.soft);
    if (event->object->posts == 1)
      stamp_set(hb, &o->first_post, stamp_keep(stamp));
    stamp_drop(hb, &stamp);
    return;
  }
  order_join(hb, &ordering_of(hb, &event->thread->order)->known.soft, o->given.soft);
  if (map_get(hb->mixed_sems, event->object->serial) == MAP_NONE && o->first_post.hard)
    order_learn(hb, event->thread, o->first_post);
}

/* A task has one submission and one end. */
static void future_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE)
    stamp_set(hb, &o->given, order_hand_out(hb, event->thread));
  else if (event->info->phase == SNARLI_ACQUIRE)
    order_learn(hb, event->thread, o->given);
}

void happens_before_step(struct happens_before *hb, struct model *model, const struct event *event) {
  if (event->is_first)
    first_of_process(hb, event);
  switch (event->info->family) {
  case SNARLI_THREAD:
    thread_order(hb, event);
    break;
  case SNARLI_PROCESS:
    process_order(hb, model, event);
    break;
  case SNARLI_MUTEX:
  case SNARLI_RWLOCK:
  case SNARLI_SPIN:
  case SNARLI_LOCK:
  case SNARLI_FILE:
    order_lock(hb, event);
    break;
  case SNARLI_SEM:
  case SNARLI_SYSV:
    order_semaphore(hb, event);
    break;
  case SNARLI_COND:
    cond_order(hb, event);
    break;
  case SNARLI_BARRIER:
    barrier_order(hb, event);
    break;
  case SNARLI_ONCE:
    once_order(hb, event);
    break;
  case SNARLI_FUTURE:
    future_order(hb, event);
    break;
  case SNARLI_EVENT:
  case SNARLI_QUEUE:
  case SNARLI_TIMER:
  case SNARLI_MANAGED:
    event_order(hb, event);
    break;
  case SNARLI_SHARED:
  case SNARLI_FUTEX:
  case SNARLI_META:
    break;
  case SNARLI_CHANNEL:
    order_channel(hb, event);
    break;
  case SNARLI_ORDER:
    annotated_order(hb, event);
    break;
  }
}
