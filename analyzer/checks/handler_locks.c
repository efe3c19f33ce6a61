/* SPDX-License-Identifier: MIT
 *
 * Locks that signal handlers take (see handler_locks.h): what is one. One thread per analysis.
 */
#include "handler_locks.h"
#include "deadlock.h"
#include <signal.h>
#include <string.h>

void handler_locks_init(struct handler_locks *locks, struct arena *arena, struct model *model) {
  *locks = (struct handler_locks){.arena = arena, .model = model};
}

/* The thread may wait here, for itself if it holds the lock already. */
static bool may_wait_for_itself(const struct event *event) {
  return event->wants && !event->is_try && !event->is_timed && event->object && is_lock(event->object) &&
         event->process->handlers && !(event->object->type & (SNARLI_T_RECURSIVE | SNARLI_T_ERRORCHECK));
}

static uint64_t key_of(const struct event *event) {
  return (uint64_t)event->thread->serial << 32 | event->object->serial;
}

static struct origin origin_of(const struct event *event) {
  return (struct origin){event->process->index, event->record->aux, event->record->time, event->thread->serial};
}

void handler_locks_step(struct handler_locks *locks, const struct event *event) {
  if (!may_wait_for_itself(event) || !model_is_in_handler(locks->model, event->process, event->record->aux) ||
      map_get(&locks->seen, key_of(event)) != MAP_NONE)
    return;
  map_put(locks->arena, &locks->seen, key_of(event), (uint32_t)locks->uses.count);
  event->object->pins++;
  event->thread->pins++;
  struct handler_use *use = &vector_push(locks->arena, &locks->uses);
  *use = (struct handler_use){.lock = event->object, .thread = event->thread, .inside = origin_of(event)};
  use->is_write = event->is_write;
  use->handlers = arena_alloc(locks->arena, SIGNALS * sizeof *use->handlers);
  memcpy(use->handlers, event->process->handlers, SIGNALS * sizeof *use->handlers);
}

/* A fault comes from the thread's own instructions, not from outside at any moment. */
static const uint64_t faults = 1ull << SIGSEGV | 1ull << SIGBUS | 1ull << SIGFPE | 1ull << SIGILL | 1ull << SIGTRAP |
                               1ull << SIGABRT | 1ull << SIGSYS;

/* The function that sends a signal and returns only after the handler did. */
static bool is_raise(const char *function) {
  static const char *const names[] = {"raise", "gsignal", "pthread_kill", "kill", "tgkill", "pthread_sigqueue"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(function, names[i]))
      return true;
  return false;
}

/* What was interrupted is one of the above, or what it calls in libc. */
static bool is_raised(const struct finding_stack *stack, size_t signal) {
  size_t i = signal + 1;
  while (i < stack->count && stack->frames[i].is_internal && !is_raise(stack->frames[i].function))
    i++;
  return i < stack->count && is_raise(stack->frames[i].function);
}

/* The signals whose handler is the frame inside of the kernel's call; if it is none of them (it may have jumped on to
 * another function), all that are handled. */
static void find_signals(struct handler_use *use, struct describe *describe) {
  struct finding_stack stack = describe_stack(describe, use->inside);
  size_t at = 0;
  while (at < stack.count && strcmp(stack.frames[at].function, FINDING_SIGNAL_FRAME) != 0)
    at++;
  if (!at || at == stack.count || is_raised(&stack, at))
    return;
  uint64_t all = 0;
  use->handler = stack.frames[at - 1].function;
  for (unsigned signal = 1; signal < SIGNALS; signal++) {
    if (!use->handlers[signal])
      continue;
    all |= 1ull << signal;
    const char *function =
        symbols_function(describe->symbols, use->inside.process, use->handlers[signal], use->inside.time);
    if (*function && !strcmp(function, use->handler))
      use->signals |= 1ull << signal;
  }
  use->signals = use->signals ? use->signals : all;
  if (use->signals & faults)
    use->signals = 0;
}

/* Each of the signals that may have called the handler has it now, and none is blocked. */
static bool can_come(const struct handler_use *use, const struct event *event) {
  for (unsigned signal = 1; signal < SIGNALS; signal++)
    if (use->signals >> signal & 1 && event->process->handlers[signal] != use->handlers[signal])
      return false;
  return use->signals && !(use->signals & event->thread->blocked << 1);
}

static void replay_again(struct handler_locks *locks) {
  struct model *model = arena_alloc(locks->arena, sizeof *model);
  struct trace_record record;
  struct event event;
  model_init(model, locks->arena, locks->model->trace);
  trace_rewind(model->trace);
  while (trace_next(model->trace, &record)) {
    model_step(model, &record, &event);
    if (!may_wait_for_itself(&event))
      continue;
    uint32_t place = map_get(&locks->seen, key_of(&event));
    struct handler_use *use = place == MAP_NONE ? NULL : &locks->uses.items[place];
    if (use && !use->outside.time && (use->is_write || event.is_write) && can_come(use, &event) &&
        !model_is_in_handler(model, event.process, record.aux))
      use->outside = origin_of(&event);
  }
}

void handler_locks_judge(struct handler_locks *locks, struct describe *describe, const struct wait_graph *graph) {
  uint64_t signals = 0;
  for (size_t i = 0; i < locks->uses.count; i++) {
    find_signals(&locks->uses.items[i], describe);
    signals |= locks->uses.items[i].signals;
  }
  if (signals)
    replay_again(locks);
  size_t kept = 0;
  for (size_t i = 0; i < locks->uses.count; i++) {
    struct handler_use *use = &locks->uses.items[i];
    if (use->outside.time && is_lock(use->lock) && !deadlock_covers(graph, &use->lock, 1))
      locks->uses.items[kept++] = *use;
  }
  locks->uses.count = kept;
}
