/* SPDX-License-Identifier: MIT
 *
 * Process images: how they begin (fork copies the held private locks), fork, exec, end and are waited for. One thread
 * per model.
 */
#include "channel.h"
#include "parts.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int compare_times(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

/* When addresses of a process may come to mean something else. */
static void find_changes(struct model *model, struct process *process) {
  size_t count = trace_mapping_count(model->trace, process->index);
  if (!count)
    return;
  process->changes = arena_alloc(model->arena, 2 * count * sizeof *process->changes);
  for (size_t i = 0; i < count; i++) {
    const struct trace_mapping *mapping = trace_mapping_at(model->trace, process->index, i);
    process->changes[process->change_count++] = mapping->since;
    process->changes[process->change_count++] = mapping->until;
  }
  qsort(process->changes, process->change_count, sizeof *process->changes, compare_times);
}

void processes_init(struct model *model) {
  model->process_count = trace_process_count(model->trace);
  model->processes = arena_alloc(model->arena, ((size_t)model->process_count + 1) * sizeof *model->processes);
  for (uint32_t i = 0; i < model->process_count; i++) {
    struct process *process = &model->processes[i];
    process->index = i;
    process->info = trace_process_at(model->trace, i);
    int32_t parent = process->info->parent;
    if (parent >= 0 && (uint32_t)parent < model->process_count && (uint32_t)parent != i)
      process->parent = &model->processes[parent];
    find_changes(model, process);
  }
  for (uint32_t i = 0; i < model->process_count; i++) { /* a bound instead of trust: parents may form a loop */
    struct process *first = &model->processes[i];
    for (uint32_t steps = 0; first->info->execed && first->parent && steps < model->process_count; steps++)
      first = first->parent;
    model->processes[i].first = first;
  }
  for (uint32_t i = model->process_count; i--;) {
    struct process *process = &model->processes[i];
    process->same_pid = map_get(&model->images, process->info->pid);
    map_put(model->arena, &model->images, process->info->pid, i);
  }
}

struct process *process_of_pid(const struct model *model, uint32_t pid) {
  uint32_t index = map_get(&model->pids, pid);
  return index == MAP_NONE ? NULL : &model->processes[index];
}

bool process_is_child(const struct process *child, const struct process *parent) {
  return child->first->parent && child->first->parent->first == parent->first && child->first != parent->first;
}

static void copy_hold(struct model *model, struct process *process, struct thread *child, struct thread *holder,
                      struct hold hold) {
  struct object *copy = object_copy(model, process, hold.object);
  if (holder == process->forker) {
    hold_add(model, child, copy, hold.is_write, hold.taken)->count = hold.count;
  } else if (hold.taken.time <= process->forked_at.time) {
    object_adopt(model, copy); /* of several readers the last is named */
    copy->orphaned_by = holder;
    copy->orphaned = hold.taken;
    holder->pins++;
  } else {
    object_doubt(model, copy); /* taken or not when the memory was copied: unknown */
  }
}

static uint64_t *handlers_of(struct model *model, struct process *process) {
  if (!process->handlers)
    process->handlers = arena_alloc(model->arena, SIGNALS * sizeof *process->handlers);
  return process->handlers;
}

/* What the parent's threads hold of private memory is held in the child's copy as well. */
static void copy_holds(struct model *model, struct process *process, struct thread *forker) {
  struct thread *child = thread_at(model, process, 0);
  child->name = forker->name;
  child->start = forker->start;
  thread_set_handle(model, child, forker->handle);
  process->forked_at = forker->fork_asked;
  if (process->parent->handlers)
    memcpy(handlers_of(model, process), process->parent->handlers, SIGNALS * sizeof *process->handlers);
  for (size_t i = 0; i < model->threads.count; i++) {
    struct thread *thread = model->threads.items[i];
    if (!thread || thread->process != process->parent)
      continue;
    for (size_t h = 0; h < thread->holds.count; h++)
      if (!thread->holds.items[h].object->is_shared)
        copy_hold(model, process, child, thread, thread->holds.items[h]);
  }
}

/* The child's life begins with the first that is seen: its first record or its parent's FORKED. */
static void bind(struct model *model, struct process *process, struct thread *forker) {
  process->is_bound = true;
  process->forker = forker;
  process->forker_serial = forker ? forker->serial : 0;
  process->ignores_children |= process->parent && process->parent->ignores_children;
  process->is_forker_sure = process->parent && process->parent->forking.count == 1;
  descriptors_begin(model, process, process->parent);
  if (process->info->forked)
    files_inherit(model, process);
  if (forker && process->info->forked)
    copy_holds(model, process, forker);
}

struct process *process_enter(struct model *model, const struct trace_record *record, struct event *event) {
  struct process *process = &model->processes[record->process], *parent = process->parent;
  if (process->has_begun)
    return process;
  process->has_begun = event->is_first = true;
  map_put(model->arena, &model->pids, process->info->pid, process->index);
  if (process->info->execed && parent) {
    parent->is_over = true;
    descriptors_begin(model, process, parent);
    descriptors_end(model, parent);
  } else if (!process->is_bound) { /* the request without a result yet that is the newest */
    bind(model, process, parent && parent->forking.count ? parent->forking.items[parent->forking.count - 1] : NULL);
  }
  if (process->forker && process->forker->serial == process->forker_serial)
    event->other = process->forker;
  return process;
}

static void forking_ends(struct event *event) {
  struct process *process = event->process;
  for (size_t i = 0; i < process->forking.count; i++)
    if (process->forking.items[i] == event->thread) {
      memmove(&process->forking.items[i], &process->forking.items[i + 1],
              (process->forking.count - i - 1) * sizeof(struct thread *));
      process->forking.count--;
      break;
    }
}

static void forked(struct model *model, struct event *event) {
  if (!event->record->object) { /* it is still this thread that made the next image that begins */
    event->process->has_unnamed_children = true;
    return;
  }
  forking_ends(event);
  uint32_t i = map_get(&model->images, event->record->object);
  for (; i != MAP_NONE; i = model->processes[i].same_pid) {
    struct process *child = &model->processes[i];
    if (!process_is_child(child, event->process))
      continue;
    if (!child->is_bound && !child->info->execed) {
      bind(model, child, event->thread);
      event->child = child;
    }
    return;
  }
  event->process->has_lost_children = true;
  model->lost_forks += !(event->record->arg & (SNARLI_F_VFORK | SNARLI_F_SPAWN));
}

/* Faults come from the program's own instructions, never while it waits. */
static bool can_come_while_waiting(unsigned signal) {
  return signal != SIGSEGV && signal != SIGBUS && signal != SIGFPE && signal != SIGILL && signal != SIGTRAP &&
         signal != SIGABRT && signal != SIGSYS;
}

/* CPython installs a handler for SIGINT in every program; it sets a flag and posts nothing. */
static bool is_pythons(const struct process *process, unsigned signal) {
  const char *exe = process->info->exe, *slash = exe ? strrchr(exe, '/') : NULL;
  return signal == SIGINT && exe && strstr(slash ? slash : exe, "python");
}

static void handler_installed(struct model *model, struct event *event) {
  struct process *process = event->process;
  uint64_t handler = event->record->object > 1 ? event->record->object : 0;
  unsigned signal = event->record->arg;
  process->ignores_children |= signal == SIGCHLD && event->record->object == 1;
  if (signal < SIGNALS && (handler || process->handlers))
    handlers_of(model, process)[signal] = handler;
  if (handler && can_come_while_waiting(signal) && !is_pythons(process, signal))
    process->has_handlers = true;
}

struct process *process_spawned_by(const struct model *model, const struct thread *thread) {
  for (uint32_t i = 0; i < model->process_count; i++) {
    struct process *child = &model->processes[i], *first = child->first;
    if (child->has_begun && first->is_forker_sure && first->forker == thread &&
        first->forker_serial == thread->serial && !first->info->forked &&
        first->info->begin > thread->fork_asked.time && process_of_pid(model, child->info->pid) == child)
      return child;
  }
  return NULL;
}

static void waited(struct model *model, struct event *event) {
  bool is_own = event->record->arg & SNARLI_F_SPAWN;
  struct process *child =
      is_own ? process_spawned_by(model, event->thread) : process_of_pid(model, (uint32_t)event->record->object);
  wait_end(event->thread);
  if (is_own)
    forking_ends(event);
  event->process->has_unknown_waits |= !child;
  if (!(event->record->arg & SNARLI_F_ENDED) || !child || !process_is_child(child, event->process))
    return;
  child->is_over = child->is_reaped = true;
  files_lose_process(model, child);
  sysv_lose_process(model, child);
  descriptors_end(model, child);
  child->reaped = origin_of(event);
  event->child = child;
}

static void signalled(struct model *model, struct event *event, struct process *target) {
  event->signalled = target;
  if (!target)
    return;
  uint32_t sender = map_get(&target->signal_senders, event->record->arg);
  if (sender != MAP_NONE && sender != event->thread->serial)
    map_put(model->arena, &target->signal_senders, event->record->arg, 0);
  else
    map_put(model->arena, &target->signal_senders, event->record->arg, event->thread->serial);
}

/* A child that is sent SIGKILL is as good as gone. Others may be in another namespace of process ids. */
static void sent(struct model *model, struct event *event) {
  struct process *target = process_of_pid(model, (uint32_t)event->record->object);
  event->thread->killing = NULL;
  signalled(model, event, target);
  if (event->record->arg != SIGKILL || !target || target->is_killed || !process_is_child(target, event->process))
    return;
  event->thread->killing = target;
  target->is_killed = true;
}

static void not_sent(struct event *event) {
  if (event->thread->killing && event->thread->wait.kind != WAIT_SIGNAL)
    event->thread->killing->is_killed = false;
  event->thread->killing = NULL;
}

/* By exec, which keeps what is open and held, or by exit. */
static void leaves(struct model *model, struct event *event) {
  struct process *process = event->process;
  process->is_over = true;
  process->ended_at = origin_of(event);
  process->has_execed = event->record->type == SNARLI_R_EXEC_REQUESTED;
  process->over_by = event->thread;
  process->over_by_serial = event->thread->serial;
  if (process->has_execed)
    return;
  files_lose_process(model, process);
  sysv_lose_process(model, process);
  descriptors_end(model, process);
}

/* One for each place where they were started. */
static void child_unasked(struct model *model, struct event *event) {
  struct origin started = origin_of(event);
  for (size_t i = 0; i < model->lost.count; i++) {
    struct lost_exception *known = &model->lost.items[i];
    if (known->is_child && known->submitted.process == started.process && known->submitted.stack == started.stack) {
      known->count++;
      return;
    }
  }
  struct process *child = process_of_pid(model, (uint32_t)event->record->object);
  event->thread->pins++;
  vector_push(model->arena, &model->lost) = (struct lost_exception){
      .submitted = started,
      .failed = started,
      .worker = event->thread,
      .child = child && process_is_child(child, event->process) ? child : NULL,
      .is_child = true,
      .exit_code = event->record->arg,
      .count = 1,
  };
}

void process_step(struct model *model, struct event *event) {
  struct process *process = event->process;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_FORK_REQUESTED:
    forking_ends(event);
    event->thread->fork_asked = origin_of(event);
    vector_push(model->arena, &process->forking) = event->thread;
    break;
  case SNARLI_R_FORKED:
    forked(model, event);
    break;
  case SNARLI_R_FORK_FAILED:
    forking_ends(event);
    break;
  case SNARLI_R_EXEC_REQUESTED:
  case SNARLI_R_PROCESS_EXIT:
    leaves(model, event);
    break;
  case SNARLI_R_EXEC_FAILED:
    process->is_over = false;
    break;
  case SNARLI_R_WAIT_REQUESTED: {
    struct wait *wait = wait_begin(event, WAIT_CHILD);
    wait->pid = (uint32_t)event->record->object;
    wait->is_own = event->record->arg & SNARLI_F_SPAWN;
    break;
  }
  case SNARLI_R_WAIT_RETURNED:
    waited(model, event);
    break;
  case SNARLI_R_WAIT_FAILED:
    wait_end(event->thread);
    break;
  case SNARLI_R_CHILD_UNASKED:
    child_unasked(model, event);
    break;
  case SNARLI_R_SIGNAL_SENT:
    sent(model, event);
    break;
  case SNARLI_R_THREAD_SIGNALLED:
    signalled(model, event, process);
    break;
  case SNARLI_R_SIGNAL_WAIT_REQUESTED:
    wait_begin(event, WAIT_SIGNAL);
    break;
  case SNARLI_R_SIGNAL_WAIT_RETURNED:
    wait_end(event->thread);
    break;
  case SNARLI_R_SIGNAL_FAILED:
    not_sent(event);
    wait_end(event->thread);
    break;
  case SNARLI_R_SIGNAL_HANDLER:
    handler_installed(model, event);
    break;
  default:
    break;
  }
}
