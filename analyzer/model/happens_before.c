/* SPDX-License-Identifier: MIT
 *
 * The two happens-before relations (see happens_before.h). A thread's clock holds what it knows of others; its own
 * count is kept beside it and goes up whenever it hands its clock out, so that moments between two such points are
 * one. One thread per value.
 */
#include "happens_before.h"
#include "channel.h"
#include <string.h>

struct stamp {
  struct clock *hard, *soft;
};

/* What was sent, by the position of its first byte or message. */
struct sending {
  struct stamp stamp;
  uint64_t begin;
};

#define SENDINGS_MOST (1u << 17) /* not yet received; a channel with more orders nothing */

struct ordering {
  struct ordering *spare;
  /* of a thread; `end` also of a channel: who closed it */
  struct stamp known, fork, end;
  uint32_t epoch, learned; /* its own count; how often `known` has changed */
  /* of an object */
  struct stamp given; /* a barrier's last round, a once, all signals and posts so far */
  struct stamp gathering, first_post, release;
  VECTOR(struct stamp) posts; /* not yet needed; [0] is number `post_base` */
  uint32_t post_base, post_head;
  VECTOR(struct sending) sendings; /* not yet received, from `sending_head` on */
  size_t sending_head;
  bool has_too_many;
  uint32_t releaser, release_epoch, take_epoch;
};

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

static struct ordering *ordering_of(struct happens_before *hb, struct ordering **where) {
  if (*where)
    return *where;
  struct ordering *ordering = hb->spare;
  if (ordering)
    hb->spare = ordering->spare;
  else
    ordering = arena_alloc(hb->arena, sizeof *ordering);
  *ordering = (struct ordering){.epoch = 1};
  return *where = ordering;
}

static void stamp_drop(struct happens_before *hb, struct stamp *stamp) {
  clock_drop(&hb->clocks, stamp->hard);
  clock_drop(&hb->clocks, stamp->soft);
  *stamp = (struct stamp){NULL, NULL};
}

static void stamp_set(struct happens_before *hb, struct stamp *stamp, struct stamp to) { /* takes `to` over */
  stamp_drop(hb, stamp);
  *stamp = to;
}

static struct stamp stamp_keep(struct stamp stamp) {
  return (struct stamp){clock_keep(stamp.hard), clock_keep(stamp.soft)};
}

static void join(struct happens_before *hb, struct clock **clock, struct clock *other) {
  struct clock *joined = clock_join(&hb->clocks, *clock, other);
  clock_drop(&hb->clocks, *clock);
  *clock = joined;
}

static void stamp_join(struct happens_before *hb, struct stamp *stamp, struct stamp other) {
  join(hb, &stamp->hard, other.hard);
  join(hb, &stamp->soft, other.soft);
}

/* What others learn who come after this point of the thread. */
static struct stamp hand_out(struct happens_before *hb, struct thread *thread) {
  struct ordering *o = ordering_of(hb, &thread->order);
  struct stamp stamp = {clock_set(&hb->clocks, o->known.hard, thread->serial, o->epoch),
                        clock_set(&hb->clocks, o->known.soft, thread->serial, o->epoch)};
  o->epoch++;
  return stamp;
}

static void learn(struct happens_before *hb, struct thread *thread, struct stamp stamp) {
  struct ordering *o = ordering_of(hb, &thread->order);
  const struct clock *hard = o->known.hard, *soft = o->known.soft;
  stamp_join(hb, &o->known, stamp);
  o->learned += o->known.hard != hard || o->known.soft != soft;
}

static void learn_softly(struct happens_before *hb, struct thread *thread, struct clock *soft) {
  learn(hb, thread, (struct stamp){NULL, soft});
}

struct moment happens_before_now(struct happens_before *hb, struct thread *thread) {
  const struct ordering *o = ordering_of(hb, &thread->order);
  return (struct moment){o->known.hard, o->known.soft, o->epoch, o->epoch + o->learned};
}

static void sendings_drop(struct happens_before *hb, struct ordering *o) {
  for (size_t i = o->sending_head; i < o->sendings.count; i++)
    stamp_drop(hb, &o->sendings.items[i].stamp);
  vector_free(hb->arena, &o->sendings);
  o->sending_head = 0;
}

static void ordering_drop(struct happens_before *hb, struct ordering **where) {
  struct ordering *o = *where;
  if (!o)
    return;
  struct stamp *stamps[] = {&o->known, &o->fork, &o->end, &o->given, &o->gathering, &o->first_post, &o->release};
  for (size_t i = 0; i < sizeof stamps / sizeof(struct stamp *); i++)
    stamp_drop(hb, stamps[i]);
  for (size_t i = o->post_head; i < o->posts.count; i++)
    stamp_drop(hb, &o->posts.items[i]);
  vector_free(hb->arena, &o->posts);
  sendings_drop(hb, o);
  o->spare = hb->spare;
  hb->spare = o;
  *where = NULL;
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
    struct stamp stamp = hand_out(hb, event->thread);
    learn(hb, other, stamp);
    stamp_drop(hb, &stamp);
  } else if (event->record->type == SNARLI_R_FIBER_SWITCHED && other) { /* another run may schedule otherwise */
    struct stamp stamp = hand_out(hb, event->thread);
    join(hb, &ordering_of(hb, &other->order)->known.soft, stamp.soft);
    stamp_drop(hb, &stamp);
  } else if (event->record->type == SNARLI_R_THREAD_END) {
    stamp_set(hb, &ordering_of(hb, &event->thread->order)->end, hand_out(hb, event->thread));
  } else if (event->record->type == SNARLI_R_THREAD_JOINED && other && other->is_ended) {
    learn(hb, event->thread, ordering_of(hb, &other->order)->end);
  }
}

/* Whoever has waited for the end of a process comes after all of its threads. */
static void reap(struct happens_before *hb, struct model *model, const struct event *event) {
  for (size_t i = 0; i < model->threads.count; i++) {
    struct thread *thread = model->threads.items[i];
    if (!thread || thread->process->first != event->child->first)
      continue;
    struct stamp stamp = hand_out(hb, thread);
    learn(hb, event->thread, stamp);
    stamp_drop(hb, &stamp);
  }
  for (uint32_t i = 0; i < model->process_count; i++)
    if (model->processes[i].first == event->child->first)
      learn(hb, event->thread, hb->processes[i].gone);
}

static void signal_sent(struct happens_before *hb, const struct event *event) {
  if (!event->signalled)
    return;
  struct process_order *order = &hb->processes[event->signalled->index];
  struct stamp stamp = hand_out(hb, event->thread);
  join(hb, &order->signals, stamp.soft);
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
  learn_softly(hb, event->thread, order->signals);
  if (order->first_signals && map_get(hb->mixed_sems, key_of_signal(event->process, event->record->arg)) == MAP_NONE)
    learn(hb, event->thread, order->first_signals[event->record->arg]);
}

static void process_order(struct happens_before *hb, struct model *model, const struct event *event) {
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_FORK_REQUESTED:
    stamp_set(hb, &ordering_of(hb, &event->thread->order)->fork, hand_out(hb, event->thread));
    break;
  case SNARLI_R_FORKED:
    if (event->child)
      stamp_set(hb, &hb->processes[event->child->index].fork, stamp_keep(ordering_of(hb, &event->thread->order)->fork));
    break;
  case SNARLI_R_EXEC_REQUESTED:
    stamp_set(hb, &hb->processes[event->process->index].exec, hand_out(hb, event->thread));
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
    learn(hb, event->thread, hb->processes[event->process->parent->index].exec);
  else if (order->fork.hard)
    learn(hb, event->thread, order->fork);
  else if (event->other && event->other != event->thread)
    learn(hb, event->thread, ordering_of(hb, &event->other->order)->fork);
}

/* Who knows that a lock was taken, but not that it was released, learned it from something that its holder handed out
 * meanwhile; else the release need not be kept. */
static void released(struct happens_before *hb, const struct event *event, struct ordering *mine) {
  bool is_birth = event->object->was_held_at_birth && !(event->object->order && event->object->order->first_post.hard);
  if (event->gave_epoch == mine->epoch && !is_birth) {
    if (event->object->order)
      event->object->order->releaser = 0;
    return;
  }
  struct ordering *o = ordering_of(hb, &event->object->order);
  stamp_set(hb, &o->release, stamp_keep(mine->known));
  o->releaser = event->thread->serial;
  o->take_epoch = event->gave_epoch;
  if (is_birth)
    o->first_post = (struct stamp){clock_set(&hb->clocks, mine->known.hard, o->releaser, mine->epoch),
                                   clock_set(&hb->clocks, mine->known.soft, o->releaser, mine->epoch)};
  o->release_epoch = mine->epoch++;
}

static void taken(struct happens_before *hb, const struct event *event, struct ordering *mine) {
  const struct ordering *o = event->object->order;
  event->took->epoch = mine->epoch;
  if (!o)
    return;
  if (o->first_post.hard) /* it was made held: whoever takes it comes after its first release, but not any later one */
    learn(hb, event->thread, o->first_post);
  if (!o->releaser || o->releaser == event->thread->serial)
    return;
  if (clock_get(mine->known.hard, o->releaser) < o->take_epoch)
    return;
  struct stamp stamp = {clock_set(&hb->clocks, o->release.hard, o->releaser, o->release_epoch),
                        clock_set(&hb->clocks, o->release.soft, o->releaser, o->release_epoch)};
  learn(hb, event->thread, stamp);
  stamp_drop(hb, &stamp);
}

/* A lock taken in an order that must be so was released in that order. */
static void lock_order(struct happens_before *hb, const struct event *event) {
  bool gave = event->gave && event->is_write;
  if (!event->object || (!gave && !event->took))
    return;
  struct ordering *mine = ordering_of(hb, &event->thread->order);
  if (gave)
    released(hb, event, mine);
  if (event->took)
    taken(hb, event, mine);
}

static void post(struct happens_before *hb, const struct event *event) {
  struct ordering *o = ordering_of(hb, &event->object->order);
  struct stamp stamp = hand_out(hb, event->thread);
  join(hb, &o->given.soft, stamp.soft);
  uint32_t mixed = map_get(hb->mixed_sems, event->object->serial);
  if (event->object->posts == 1)
    stamp_set(hb, &o->first_post, stamp_keep(stamp));
  if (mixed == MAP_NONE) {
    if (o->post_head * 2 > o->posts.count) { /* what has been taken goes */
      o->posts.count -= o->post_head;
      memmove(o->posts.items, o->posts.items + o->post_head, o->posts.count * sizeof stamp);
      o->post_base += o->post_head;
      o->post_head = 0;
    }
    if (!o->posts.count)
      o->post_base = event->object->posts;
    vector_push(hb->arena, &o->posts) = stamp;
  } else {
    stamp_drop(hb, &stamp);
  }
}

/* The only poster's post without which the only acquirer would still wait. */
static void learn_post(struct happens_before *hb, const struct event *event, struct ordering *o) {
  uint32_t needed = event->object->acquires - event->object->first_value;
  if (event->object->acquires <= event->object->first_value)
    return;
  while (o->post_head < o->posts.count && o->post_base + o->post_head < needed)
    stamp_drop(hb, &o->posts.items[o->post_head++]);
  if (o->post_head < o->posts.count && o->post_base + o->post_head == needed)
    learn(hb, event->thread, o->posts.items[o->post_head]);
  if (o->post_head == o->posts.count)
    o->posts.count = o->post_head = 0;
}

static void sem_order(struct happens_before *hb, const struct event *event) {
  struct object *sem = event->object;
  if (!sem || sem->role == SEM_LOCK) {
    lock_order(hb, event);
    return;
  }
  struct ordering *o = ordering_of(hb, &sem->order);
  if (event->info->phase == SNARLI_RELEASE) {
    post(hb, event);
  } else if (event->info->phase == SNARLI_ACQUIRE) {
    uint32_t mixed = map_get(hb->mixed_sems, sem->serial);
    learn_softly(hb, event->thread, o->given.soft);
    if (mixed == MAP_NONE)
      learn_post(hb, event, o);
    else if (mixed == 2 && sem->has_value && !sem->first_value)
      learn(hb, event->thread, o->first_post);
  }
}

/* Only a wait that would not have ended by itself is ordered after its signals, and only after those since somebody
 * waits: CPython's interpreter lock passes on by a condition with short timeouts, which orders nothing for certain. */
static void cond_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE) {
    struct stamp stamp = hand_out(hb, event->thread);
    join(hb, &o->given.soft, stamp.soft);
    stamp_drop(hb, &stamp);
  } else if (event->info->phase == SNARLI_REQUEST) {
    if (event->object->waiters == 1)
      stamp_drop(hb, &o->given);
  } else if (event->is_woken && !event->is_timed) {
    learn_softly(hb, event->thread, o->given.soft);
  }
}

static void barrier_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->record->type == SNARLI_R_BARRIER_REQUESTED) {
    struct stamp stamp = hand_out(hb, event->thread);
    stamp_join(hb, &o->gathering, stamp);
    stamp_drop(hb, &stamp);
    if (event->is_complete) {
      stamp_set(hb, &o->given, o->gathering);
      o->gathering = (struct stamp){NULL, NULL};
    }
  } else if (event->record->type == SNARLI_R_BARRIER_BROKEN) {
    stamp_drop(hb, &o->gathering);
  } else if (event->record->type == SNARLI_R_BARRIER_PASSED && event->object->needed) {
    learn(hb, event->thread, o->given);
  }
}

/* Setting an event and starting or ending a timer come before what was seen of it. */
static void event_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE) {
    struct stamp stamp = hand_out(hb, event->thread);
    join(hb, &o->given.soft, stamp.soft);
    stamp_drop(hb, &stamp);
  } else if (event->info->phase == SNARLI_ACQUIRE) {
    learn_softly(hb, event->thread, o->given.soft);
  }
}

static void once_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->record->type == SNARLI_R_ONCE_ENDED)
    stamp_set(hb, &o->given, hand_out(hb, event->thread));
  else if (event->record->type == SNARLI_R_ONCE_PASSED)
    learn(hb, event->thread, o->given);
}

/* AFTER has seen a BEFORE. If only one thread ever says it, then at least its first. */
/* A queue with priorities or types, or a count, hands out in another order than that of the sends. */
static bool is_in_order(const struct channel *channel) {
  return channel->kind != SNARLI_C_QUEUE && channel->kind != SNARLI_C_SYSV && channel->kind != SNARLI_C_EVENT;
}

static void send(struct happens_before *hb, const struct event *event, struct ordering *o) {
  struct stamp stamp = hand_out(hb, event->thread);
  const struct channel *channel = event->object->channel;
  if (!is_in_order(channel)) {
    join(hb, &o->given.soft, stamp.soft);
  } else if (!o->has_too_many && o->sendings.count - o->sending_head < SENDINGS_MOST) {
    vector_push(hb->arena, &o->sendings) = (struct sending){stamp, channel->began};
    return;
  } else {
    o->has_too_many = true;
    sendings_drop(hb, o);
  }
  stamp_drop(hb, &stamp);
}

/* What was received, and everything before it, was sent before. With one sender and one receiver it is so in every
 * run, if both ends were never anybody else's. */
static void receive(struct happens_before *hb, const struct event *event, struct ordering *o) {
  const struct channel *channel = event->object->channel;
  bool is_hard = channel->is_made && !channel->is_passed && map_get(hb->mixed_sems, event->object->serial) == MAP_NONE;
  learn_softly(hb, event->thread, o->given.soft);
  while (o->sending_head < o->sendings.count && o->sendings.items[o->sending_head].begin < channel->received) {
    struct stamp *stamp = &o->sendings.items[o->sending_head++].stamp;
    if (is_hard)
      learn(hb, event->thread, *stamp);
    else
      join(hb, &o->given.soft, stamp->soft);
    stamp_drop(hb, stamp);
  }
  learn_softly(hb, event->thread, o->given.soft);
  if (o->sending_head * 2 <= o->sendings.count)
    return;
  o->sendings.count -= o->sending_head;
  memmove(o->sendings.items, o->sendings.items + o->sending_head, o->sendings.count * sizeof *o->sendings.items);
  o->sending_head = 0;
}

static void close_end(struct happens_before *hb, const struct event *event, struct ordering *o) {
  struct stamp stamp = hand_out(hb, event->thread);
  join(hb, &o->end.soft, stamp.soft);
  stamp_drop(hb, &stamp);
}

static void channel_order(struct happens_before *hb, const struct event *event) {
  if (!event->object || !event->object->channel)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  unsigned type = event->record->type;
  if (type == SNARLI_R_CHANNEL_SENT || type == SNARLI_R_CHANNEL_SEND_REQUESTED)
    send(hb, event, o);
  else if (type == SNARLI_R_CHANNEL_RECEIVED && snarli_transfer_amount(event->record->object))
    receive(hb, event, o);
  else if (type == SNARLI_R_CHANNEL_RECEIVED) /* the end of the stream: everybody has closed it */
    learn_softly(hb, event->thread, o->end.soft);
  else if (type == SNARLI_R_CHANNEL_CLOSED || type == SNARLI_R_CHANNEL_SHUT)
    close_end(hb, event, o);
}

static void annotated_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->record->type == SNARLI_R_HAPPENS_BEFORE) {
    struct stamp stamp = hand_out(hb, event->thread);
    join(hb, &o->given.soft, stamp.soft);
    if (event->object->posts == 1)
      stamp_set(hb, &o->first_post, stamp_keep(stamp));
    stamp_drop(hb, &stamp);
    return;
  }
  join(hb, &ordering_of(hb, &event->thread->order)->known.soft, o->given.soft);
  if (map_get(hb->mixed_sems, event->object->serial) == MAP_NONE && o->first_post.hard)
    learn(hb, event->thread, o->first_post);
}

/* What a queue gives may be what any of its puts so far brought; a future has one task and one end. */
static void queue_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE) {
    struct stamp stamp = hand_out(hb, event->thread);
    join(hb, &o->given.soft, stamp.soft);
    stamp_drop(hb, &stamp);
  } else if (event->info->phase == SNARLI_ACQUIRE) {
    learn_softly(hb, event->thread, o->given.soft);
  }
}

static void future_order(struct happens_before *hb, const struct event *event) {
  if (!event->object)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  if (event->info->phase == SNARLI_RELEASE)
    stamp_set(hb, &o->given, hand_out(hb, event->thread));
  else if (event->info->phase == SNARLI_ACQUIRE)
    learn(hb, event->thread, o->given);
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
    lock_order(hb, event);
    break;
  case SNARLI_SEM:
  case SNARLI_SYSV:
    sem_order(hb, event);
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
  case SNARLI_QUEUE:
    queue_order(hb, event);
    break;
  case SNARLI_FUTURE:
    future_order(hb, event);
    break;
  case SNARLI_EVENT:
  case SNARLI_TIMER:
    event_order(hb, event);
    break;
  case SNARLI_SHARED:
  case SNARLI_FUTEX:
  case SNARLI_META:
    break;
  case SNARLI_CHANNEL:
    channel_order(hb, event);
    break;
  case SNARLI_ORDER:
    annotated_order(hb, event);
    break;
  }
}
