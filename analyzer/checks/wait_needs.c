/* SPDX-License-Identifier: MIT
 *
 * Who could end a wait, for each kind of wait (see wait_graph.h); of channels in wait_channels.c. One thread per value.
 */
#include "wait_graph.h"

/* It left by exit: what its other threads waited for then is still worth a look. */
static bool has_exited(const struct process *process) {
  return process->over_by && !process->has_execed && wait_is_over(process);
}

static bool is_alive(const struct thread *thread, const struct process *observer) {
  return !thread->is_ended && (!wait_is_over(thread->process) || thread->process == observer);
}

static void set_and(struct wait_graph *graph, struct wait_node *node, struct thread *other, enum wait_cause cause) {
  bool is_self = other == node->thread;
  if (node->cause == CAUSE_SELF)
    return;
  if (is_self || !is_alive(other, node->thread->process)) { /* this alone decides */
    node->needs.count = 0;
    node->cause = is_self ? CAUSE_SELF : CAUSE_GONE;
  } else if (node->cause != CAUSE_GONE) {
    node->cause = cause;
  } else {
    return;
  }
  vector_push(graph->arena, &node->needs) = other;
}

static void wait_for_writers(struct wait_graph *graph, struct wait_node *node, const struct object *lock) {
  if (!(lock->type & SNARLI_T_PREFER_WRITER) || !lock->holders.count)
    return;
  for (size_t i = 0; i < graph->model->threads.count; i++) {
    struct thread *other = graph->model->threads.items[i];
    if (other && other != node->thread && other->wait.kind == WAIT_LOCK && other->wait.object == lock &&
        other->wait.is_write && !other->wait.ends)
      set_and(graph, node, other, CAUSE_WRITER);
  }
}

static void wait_for_lock(struct wait_graph *graph, struct wait_node *node) {
  const struct object *lock = node->thread->wait.object;
  bool is_read = !node->thread->wait.is_write, checks_self = lock->type & (SNARLI_T_RECURSIVE | SNARLI_T_ERRORCHECK);
  if (lock->orphaned_by)
    node->cause = CAUSE_GONE;
  for (size_t i = 0; i < lock->holders.count; i++) {
    struct thread *holder = lock->holders.items[i];
    if (is_read && !thread_hold(holder, lock)->is_write)
      continue;
    if (lock->type & SNARLI_T_ROBUST && !is_alive(holder, node->thread->process))
      continue; /* whoever waits is told of its owner's death */
    if (holder != node->thread || !checks_self)
      set_and(graph, node, holder, CAUSE_OWNER);
  }
  if (is_read && node->cause == CAUSE_RUNS)
    wait_for_writers(graph, node, lock);
}

/* Whoever can reach the object may end the wait. */
static void wait_for_anybody(struct wait_graph *graph, struct wait_node *node, const struct object *object) {
  if (wait_is_over(node->thread->process)) /* nothing was going to happen any more */
    return;
  node->cause = CAUSE_ANYBODY;
  if (object->is_shared)
    wait_edge_to_anyone(graph, node->thread);
  else
    wait_edge(graph, node->thread, node->thread->process);
}

static void wait_for_sem(struct wait_graph *graph, struct wait_node *node) {
  const struct object *sem = node->thread->wait.object;
  uint32_t units = sem->is_sysv ? node->thread->wait.units : 1;
  bool can_have = units ? sem->value >= (int64_t)units : !sem->value;
  if (!sem->has_value || can_have)
    return;
  if (sem->role == SEM_LOCK && sem->holders.count)
    set_and(graph, node, sem->holders.items[0], CAUSE_OWNER);
  else if (sem->role == SEM_LOCK && sem->orphaned_by)
    node->cause = CAUSE_GONE;
  else if (sem->is_sysv && !sem->is_closed)
    return; /* whoever knows its key may post */
  else if (sem->role == SEM_COUNT && !node->thread->process->has_handlers)
    wait_for_anybody(graph, node, sem);
}

/* A waiter that may have been woken waits for the mutex: it goes on if that one's holder does. */
static void wait_for_signal(struct wait_graph *graph, struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  const struct object *mutex = wait->mutex;
  if (!wait->gave_lock)
    return;
  if (wait->object->signals) {
    if (mutex->serial != wait->mutex_serial || mutex->is_doubted || mutex->is_gone || !mutex->holders.count)
      return;
    wait_for_anybody(graph, node, wait->object);
    if (node->cause == CAUSE_ANYBODY)
      wait_edge_to_thread(graph, node->thread, mutex->holders.items[0]);
    return;
  }
  wait_for_anybody(graph, node, wait->object);
}

static void wait_for_barrier(struct wait_graph *graph, struct wait_node *node) {
  const struct object *barrier = node->thread->wait.object;
  if (barrier->needed && barrier->round == node->thread->wait.round)
    wait_for_anybody(graph, node, barrier);
}

static void wait_for_event(struct wait_graph *graph, struct wait_node *node) {
  const struct object *event = node->thread->wait.object;
  if (event->round == node->thread->wait.round)
    wait_for_anybody(graph, node, event);
}

static void wait_for_queue(struct wait_graph *graph, struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  const struct object *queue = wait->object;
  bool is_answered = wait->is_join    ? !queue->unfinished
                     : queue->is_done ? true
                     : wait->is_write ? !queue->limit || queue->items < queue->limit
                                      : queue->items > 0;
  if (!is_answered)
    wait_for_anybody(graph, node, queue);
}

static bool works_for(const struct thread *thread, const struct object *pool) {
  return thread && !thread->is_ended && thread->works_for == pool && thread->works_for_serial == pool->serial;
}

/* A task that has not begun is begun by one of its executor's workers, or by one that the next submission starts. */
static void wait_for_task(struct wait_graph *graph, struct wait_node *node) {
  const struct object *future = node->thread->wait.object, *pool = future->pool;
  uint64_t workers = 0;
  if (future->is_done)
    return;
  if (future->runner) {
    set_and(graph, node, future->runner, CAUSE_OWNER);
    return;
  }
  if (!pool || pool->serial != future->pool_serial || pool->is_doubted || !pool->limit)
    return;
  for (size_t i = 0; i < graph->model->threads.count; i++)
    workers += works_for(graph->model->threads.items[i], pool);
  if (workers < pool->limit) {
    wait_for_anybody(graph, node, pool);
    return;
  }
  node->cause = CAUSE_ANYBODY;
  for (size_t i = 0; i < graph->model->threads.count; i++)
    if (works_for(graph->model->threads.items[i], pool))
      wait_edge_to_thread(graph, node->thread, graph->model->threads.items[i]);
}

static void wait_for_once(struct wait_graph *graph, struct wait_node *node) {
  const struct object *once = node->thread->wait.object;
  if (!once->is_done && once->runner)
    set_and(graph, node, once->runner, CAUSE_OWNER);
}

static void wait_for_thread(struct wait_graph *graph, struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  struct thread *target = wait->target;
  if (target && target->serial == wait->target_serial && !target->is_ended && target != node->thread)
    set_and(graph, node, target, CAUSE_TARGET);
}

static bool is_awaited(const struct model *model, const struct wait_node *node, const struct process *child) {
  uint32_t pid = node->thread->wait.pid;
  if (node->thread->wait.is_own)
    return child == process_spawned_by(model, node->thread);
  return child->has_begun && process_is_child(child, node->thread->process) && (!pid || child->info->pid == pid);
}

static bool is_for_any(const struct wait *wait) { return !wait->pid && !wait->is_own; }

/* Children that may end, and that nobody would see. */
static bool has_unseen_children(const struct process *process) {
  return process->has_lost_children || process->has_unnamed_children;
}

/* Any of the awaited children: the newest image of each. */
static void wait_for_child(struct wait_graph *graph, struct wait_node *node) {
  const struct model *model = graph->model;
  size_t before = graph->edges.count;
  if (wait_is_over(node->thread->process) ||
      (is_for_any(&node->thread->wait) && has_unseen_children(node->thread->process)))
    return;
  for (uint32_t i = 0; i < model->process_count; i++) {
    const struct process *child = &model->processes[i];
    if (!is_awaited(model, node, child) || child->is_reaped || process_of_pid(model, child->info->pid) != child)
      continue;
    if (wait_is_over(child) || child->info->dropped) { /* the wait has its answer, or may have */
      graph->edges.count = before;
      return;
    }
    wait_edge(graph, node->thread, child);
  }
  if (graph->edges.count > before)
    node->cause = CAUSE_TARGET;
}

/* The newest image of the process that began with this one, NULL: it is gone. */
static struct process *image_of(const struct wait_graph *graph, const struct process *first) {
  struct process *image = process_of_pid(graph->model, first->info->pid);
  return image && image->first == first && !wait_is_over(image) ? image : NULL;
}

/* True: some process that owns the lock is there, and all that do have an edge. */
static bool wait_for_owners(struct wait_graph *graph, struct wait_node *node, const struct file_owner *owner) {
  for (size_t i = 0; i < owner->sharers.count; i++) {
    const struct process *image = image_of(graph, owner->sharers.items[i]);
    if (!image)
      return false;
    wait_edge(graph, node->thread, image);
  }
  return owner->sharers.count > 0;
}

static void need(struct wait_graph *graph, struct wait_node *node, struct thread *thread) {
  for (size_t i = 0; i < node->needs.count; i++)
    if (node->needs.items[i] == thread)
      return;
  vector_push(graph->arena, &node->needs) = thread;
}

/* Any thread of a process can give up what the process, or an open file description of it, owns. Where several
 * processes share one of several owners, any of them all counts as the end of the wait: that is too hopeful, never
 * wrong. */
static void wait_for_file(struct wait_graph *graph, struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  const struct file_hold *hold;
  size_t before = graph->edges.count;
  bool is_known = !wait->object->file->is_doubted, is_shared = false;
  for (size_t at = 0; is_known && (hold = file_conflict(wait, &at));) {
    const struct file_owner *owner = file_owner_of(graph->model, hold);
    is_known = owner && wait_for_owners(graph, node, owner);
    is_shared |= owner && owner->sharers.count > 1;
    need(graph, node, hold->thread);
  }
  if (!is_known || !node->needs.count) {
    graph->edges.count = before;
    node->needs.count = 0;
    return;
  }
  node->cause = node->needs.count == 1 && node->needs.items[0] == node->thread ? CAUSE_SELF : CAUSE_OWNER;
  node->has_edges = true;
  node->is_any_of = is_shared;
}

static bool is_carried_with(const struct thread *fiber, const struct thread *other) {
  uint32_t carrier = fiber->carrier ? fiber->carrier : fiber->serial;
  return other->serial == carrier || other->carrier == carrier;
}

/* Any thread of the process can run a fiber that was left, if it comes to it. Only those that hold something are looked
 * at: for the others nobody waits. */
static void wait_for_turn(struct wait_graph *graph, struct wait_node *node) {
  const struct thread *fiber = node->thread;
  for (size_t pass = 0; pass < 2 && fiber->holds.count; pass++) /* first who runs in its place */
    for (size_t i = 0; i < graph->model->threads.count; i++) {
      struct thread *other = graph->model->threads.items[i];
      if (other && other->process == fiber->process && !other->is_ended && other->wait.kind != WAIT_TURN &&
          is_carried_with(fiber, other) == (pass == 0))
        need(graph, node, other);
    }
  if (!node->needs.count)
    return;
  node->cause = CAUSE_TURN;
  node->is_any_of = true;
}

static bool has_object(const struct wait *wait) {
  return wait->object && wait->object->serial == wait->object_serial && !wait->object->is_doubted &&
         !wait->object->is_gone;
}

/* Whether what it waits for is known well enough to say who could end that. */
static bool is_known(const struct thread *thread) {
  const struct wait *wait = &thread->wait;
  const struct process *process = thread->process;
  if (wait->ends || process->info->dropped || (wait_is_over(process) && !has_exited(process)) ||
      (process->over_by == thread && wait_is_over(process)))
    return false;
  bool needs_object =
      wait->kind != WAIT_JOIN && wait->kind != WAIT_CHILD && wait->kind != WAIT_POLL && wait->kind != WAIT_TURN;
  return !needs_object || has_object(wait);
}

void wait_needs_find(struct wait_graph *graph, struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  if (!is_known(node->thread))
    return;
  switch (wait->kind) {
  case WAIT_LOCK:
    wait_for_lock(graph, node);
    break;
  case WAIT_SEM:
    wait_for_sem(graph, node);
    break;
  case WAIT_COND:
    wait_for_signal(graph, node);
    break;
  case WAIT_BARRIER:
    wait_for_barrier(graph, node);
    break;
  case WAIT_ONCE:
    wait_for_once(graph, node);
    break;
  case WAIT_JOIN:
    wait_for_thread(graph, node);
    break;
  case WAIT_CHILD:
    wait_for_child(graph, node);
    break;
  case WAIT_FILE:
    wait_for_file(graph, node);
    break;
  case WAIT_EVENT:
    wait_for_event(graph, node);
    break;
  case WAIT_QUEUE:
    wait_for_queue(graph, node);
    break;
  case WAIT_FUTURE:
    wait_for_task(graph, node);
    break;
  case WAIT_WORK:
    if (!wait->object->items && !wait->object->is_done)
      wait_for_anybody(graph, node, wait->object);
    break;
  case WAIT_RESULTS:
    wait_for_anybody(graph, node, wait->object);
    break;
  case WAIT_SEND:
  case WAIT_RECEIVE:
  case WAIT_POLL:
    wait_for_channels(graph, node);
    break;
  case WAIT_TURN:
    wait_for_turn(graph, node);
    break;
  case WAIT_FUTEX:  /* anybody may end it */
  case WAIT_SIGNAL: /* one may come from anywhere */
  case WAIT_NONE:
    break;
  }
}
