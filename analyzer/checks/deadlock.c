/* SPDX-License-Identifier: MIT
 *
 * Deadlocks in words (see deadlock.h). One thread per analysis.
 */
#include "deadlock.h"
#include <string.h>

static const struct wait_node *node_of(const struct wait_graph *graph, const struct thread *thread) {
  return &graph->nodes[thread->place];
}

static void announce(const struct wait_graph *graph, const struct thread *thread, struct describe *describe) {
  const struct wait_node *node = node_of(graph, thread);
  describe_announce(describe, thread);
  if (node->cause == CAUSE_GONE && !node->needs.count)
    describe_announce(describe, thread->wait.object->orphaned_by);
}

void deadlock_announce(const struct wait_graph *graph, struct describe *describe) {
  for (size_t c = 0; c < graph->cores.count; c++) {
    const struct wait_core *core = &graph->cores.items[c];
    for (size_t i = 0; i < core->threads.count; i++)
      announce(graph, core->threads.items[i], describe);
    for (size_t i = 0; i < core->behind.count; i++)
      describe_announce(describe, core->behind.items[i]);
  }
}

struct draft_object deadlock_awaited(const struct wait_graph *graph, const struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  if (wait->kind == WAIT_JOIN)
    return (struct draft_object){.thread = wait->target};
  if (wait->kind == WAIT_CHILD && wait->is_own)
    return (struct draft_object){.process = process_spawned_by(graph->model, node->thread)};
  if (wait->kind == WAIT_CHILD)
    return (struct draft_object){.process = wait->pid ? process_of_pid(graph->model, wait->pid) : NULL};
  if (wait->kind == WAIT_POLL)
    return channel_awaited(graph, node->thread);
  if (wait->kind == WAIT_TURN)
    return (struct draft_object){.thread = node->needs.items[0]};
  return (struct draft_object){.object = wait->object};
}

static const char *awaited_label(const struct wait_graph *graph, struct describe *describe,
                                 const struct wait_node *node) {
  if (node->thread->wait.kind == WAIT_POLL)
    return channel_awaited_label(graph, describe, node->thread);
  struct draft_object awaited = deadlock_awaited(graph, node);
  if (awaited.thread)
    return describe_thread(describe, awaited.thread);
  if (awaited.process)
    return describe_process(describe, awaited.process);
  return awaited.object ? describe_object(describe, awaited.object) : "any child process";
}

static const char *names_of(struct describe *describe, struct thread *const *threads, size_t count) {
  const char **names = arena_alloc(describe->arena, (count + 1) * sizeof *names);
  for (size_t i = 0; i < count; i++)
    names[i] = describe_thread(describe, threads[i]);
  return draft_join(describe, names, count);
}

static const char *nobody_left(const struct wait_graph *graph, struct describe *describe,
                               const struct wait_node *node) {
  const struct object *object = node->thread->wait.object;
  if (is_channel_wait(&node->thread->wait))
    return channel_because(graph, describe, node->thread);
  if (object->family == SNARLI_BARRIER)
    return arena_print(describe->arena, "which needs %u threads: %u arrived, and nobody is left to come",
                       object->needed, object->arrived);
  if (object->family == SNARLI_COND)
    return object->signals ? "which was signalled, but its mutex never comes free"
                           : "and nobody is left who could signal it";
  if (object->family == SNARLI_EVENT)
    return "and nobody is left who could set it";
  if (object->family == SNARLI_QUEUE)
    return node->thread->wait.is_join    ? "until all is dealt with, and nobody is left who could do that"
           : node->thread->wait.is_write ? "to have room, and nobody is left who could get from it"
                                         : "and nobody is left who could put something into it";
  if (node->thread->wait.kind == WAIT_RESULTS)
    return "for a result, and nobody is left who could end a task";
  if (node->thread->wait.kind == WAIT_WORK)
    return "for a task, and nobody is left who could submit one";
  if (object->family == SNARLI_FUTURE)
    return object->pool ? arena_print(describe->arena, "which waits for a free worker of %s, and all of them wait",
                                      describe_object(describe, object->pool))
                        : "and nobody is left to run its task";
  if (object->is_sysv && !node->thread->wait.units)
    return "to become zero, and nobody is left who could take from it";
  return "and nobody is left who could post it";
}

static const char *whose_holder_is_gone(struct describe *describe, const struct wait_node *node) {
  if (!node->needs.count)
    return arena_print(describe->arena, "which %s held when this process was forked; that thread does not exist here",
                       describe_thread(describe, node->thread->wait.object->orphaned_by));
  if (node->thread->wait.kind == WAIT_JOIN)
    return "which is gone";
  struct thread *holder = node->needs.items[0];
  return arena_print(describe->arena,
                     holder->is_ended || holder->process == node->thread->process
                         ? "which %s never released before it ended"
                         : "which %s holds, and that process is gone",
                     describe_thread(describe, holder));
}

const char *deadlock_because(const struct wait_graph *graph, struct describe *describe, const struct wait_node *node) {
  const char *who = names_of(describe, node->needs.items, node->needs.count);
  switch (node->cause) {
  case CAUSE_OWNER:
    return node->thread->wait.kind == WAIT_ONCE || node->thread->wait.kind == WAIT_FUTURE
               ? arena_print(describe->arena, "which %s is running", who)
           : node->needs.count > 1 ? arena_print(describe->arena, "which %s hold", who)
                                   : arena_print(describe->arena, "which %s holds", who);
  case CAUSE_SELF:
    if (model_is_in_handler(graph->model, node->thread->process, node->thread->wait.asked.stack))
      return "which it holds itself, in a signal handler";
    return node->thread->wait.kind == WAIT_ONCE   ? "which it is running itself"
           : node->thread->wait.kind == WAIT_FILE ? "which it holds itself through another descriptor"
                                                  : "which it holds itself";
  case CAUSE_GONE:
    return whose_holder_is_gone(describe, node);
  case CAUSE_WRITER:
    return arena_print(describe->arena, "where %s is already waiting to write, and writers go first", who);
  case CAUSE_TARGET:
    return "to end";
  case CAUSE_ANYBODY:
    return nobody_left(graph, describe, node);
  case CAUSE_TURN:
    return "which runs in its place";
  case CAUSE_RUNS:
    break;
  }
  return "";
}

static bool is_wanted_by_core(const struct wait_core *core, const struct object *object) {
  for (size_t i = 0; i < core->threads.count; i++) {
    const struct wait *wait = &core->threads.items[i]->wait;
    if (wait->object == object || (wait->kind == WAIT_FILE && file_locks_overlap(wait->object, object)) ||
        (wait->kind == WAIT_COND && wait->mutex == object && wait->object->signals))
      return true;
  }
  return false;
}

static const char *separator(const struct wait_node *node) {
  const struct wait *wait = &node->thread->wait;
  if (node->cause == CAUSE_ANYBODY)
    return is_channel_wait(wait) || wait->object->family == SNARLI_BARRIER ? ", " : " ";
  return node->cause == CAUSE_TARGET ? " " : ", ";
}

static const char *sentence(const struct wait_graph *graph, struct describe *describe, const struct wait_core *core,
                            struct thread *thread) {
  const struct wait_node *node = node_of(graph, thread);
  const char **held = arena_alloc(describe->arena, (thread->holds.count + 1) * sizeof *held);
  size_t count = 0;
  for (size_t i = 0; i < thread->holds.count; i++)
    if (is_wanted_by_core(core, thread->holds.items[i].object) && node->cause != CAUSE_SELF)
      held[count++] = describe_object(describe, thread->holds.items[i].object);
  return arena_print(describe->arena, "%s %s%s%swaits for %s%s%s.", describe_thread(describe, thread),
                     count ? "holds " : "", draft_join(describe, held, count), count ? " and " : "",
                     awaited_label(graph, describe, node), separator(node), deadlock_because(graph, describe, node));
}

static const char *message_of(const struct wait_graph *graph, struct describe *describe, const struct wait_core *core) {
  const char *text = "";
  for (size_t i = 0; i < core->threads.count; i++)
    text = arena_print(describe->arena, "%s%s%s", text, i ? " " : "",
                       sentence(graph, describe, core, core->threads.items[i]));
  if (core->behind.count)
    text = arena_print(describe->arena, "%s Also blocked, because of this: %s.", text,
                       names_of(describe, core->behind.items, core->behind.count));
  return text;
}

static bool has_cause(const struct wait_graph *graph, const struct wait_core *core, enum wait_cause cause) {
  bool has = false;
  for (size_t i = 0; i < core->threads.count; i++)
    has |= node_of(graph, core->threads.items[i])->cause == cause;
  return has;
}

/* Not every deadlock is a circle of locks. NULL: what the rule says. */
static const char *help_of(const struct wait_graph *graph, const struct wait_core *core) {
  if (has_cause(graph, core, CAUSE_GONE))
    return "Give up what is held on every way out, also on errors, cancellation and a killed process (a robust mutex "
           "tells the next one).";
  if (has_cause(graph, core, CAUSE_ANYBODY))
    return "Tell those who wait that nothing more will come (close the pipe end or the queue, post or notify once "
           "more) "
           "before the last one who could stops or waits itself; or wait with a time limit.";
  return NULL;
}

static const char *title_of(const struct wait_graph *graph, struct describe *describe, const struct wait_core *core) {
  struct thread *first = core->threads.items[0];
  const struct wait_node *node = node_of(graph, first);
  const char *names = names_of(describe, core->threads.items, core->threads.count);
  if (core->threads.count == 1)
    return arena_print(describe->arena, "%s waits for %s%s%s", names, awaited_label(graph, describe, node),
                       separator(node), deadlock_because(graph, describe, node));
  return arena_print(describe->arena,
                     has_cause(graph, core, CAUSE_ANYBODY) ? "%s wait, and nobody is left to wake them"
                                                           : "%s wait for each other",
                     names);
}

static void add_steps(const struct wait_graph *graph, struct draft *draft, const struct wait_core *core) {
  for (size_t i = 0; i < core->threads.count; i++) {
    struct thread *thread = core->threads.items[i];
    const struct wait_node *node = node_of(graph, thread);
    for (size_t h = 0; h < thread->holds.count; h++) {
      const struct hold *hold = &thread->holds.items[h];
      if (is_wanted_by_core(core, hold->object))
        draft_step(draft, thread, "holds", (struct draft_object){.object = hold->object},
                   hold->object->family == SNARLI_RWLOCK ? hold->is_write ? "for writing" : "for reading" : "",
                   hold->taken);
    }
    for (size_t g = 0; node->cause == CAUSE_GONE && g < node->needs.count; g++) {
      const struct hold *hold = thread->wait.object ? thread_hold(node->needs.items[g], thread->wait.object) : NULL;
      if (hold)
        draft_step(draft, node->needs.items[g], "held", (struct draft_object){.object = hold->object},
                   "and ended without releasing it", hold->taken);
    }
    struct object *orphan = node->cause == CAUSE_GONE && !node->needs.count ? thread->wait.object : NULL;
    if (orphan)
      draft_step(draft, orphan->orphaned_by, "held", (struct draft_object){.object = orphan},
                 "when this process was forked", orphan->orphaned);
    draft_block(draft, thread, deadlock_awaited(graph, node),
                thread->wait.kind == WAIT_LOCK && thread->wait.object && thread->wait.object->family == SNARLI_RWLOCK
                    ? thread->wait.is_write ? "to write" : "to read"
                    : deadlock_because(graph, draft->describe, node),
                thread->wait.asked);
  }
}

/* The one condition that is waited for in the core was notified when nobody waited for it yet, and never woke anybody:
 * the classical lost wakeup. A condition that did its work before is another matter. */
static struct object *lost_wakeup(const struct wait_core *core) {
  struct object *cond = NULL;
  for (size_t i = 0; i < core->threads.count; i++) {
    const struct wait *wait = &core->threads.items[i]->wait;
    if (wait->kind != WAIT_COND)
      continue;
    if ((cond && cond != wait->object) || wait->asked.time < wait->object->unheard.time)
      return NULL;
    cond = wait->object;
  }
  return cond && cond->unheard.time && !cond->was_woken && !cond->signals ? cond : NULL;
}

static void tell_lost_wakeup(const struct wait_graph *graph, struct draft *draft, struct object *cond) {
  struct describe *describe = draft->describe;
  struct thread *notifier = thread_of_serial(graph->model, cond->unheard.thread);
  const char *label = describe_object(describe, cond);
  draft->rule = RULE_LOST_WAKEUP;
  draft->help = NULL;
  draft->reason = "the notification was recorded before the wait began, and nothing that was recorded can end the wait";
  draft->title =
      arena_print(describe->arena, "%s: %s was notified before that, when nobody waited", draft->title, label);
  draft->message =
      arena_print(describe->arena,
                  "%s %s notified %s%s before that, when nobody waited for it: that "
                  "notification is lost.",
                  draft->message, notifier ? describe_thread(describe, notifier) : "A thread that has ended", label,
                  describe_at(describe, cond->unheard));
  if (notifier)
    draft_step(draft, notifier, "notified", (struct draft_object){.object = cond}, "with nobody waiting",
               cond->unheard);
}

/* All of the core are workers that wait for tasks which their own executor has not begun. */
static struct object *starved_pool(const struct wait_core *core) {
  struct object *pool = NULL;
  for (size_t i = 0; i < core->threads.count; i++) {
    const struct thread *thread = core->threads.items[i];
    const struct object *future = thread->wait.kind == WAIT_FUTURE ? thread->wait.object : NULL;
    if (!future || future->runner || !future->pool || thread->works_for != future->pool ||
        (pool && pool != future->pool))
      return NULL;
    pool = future->pool;
  }
  return pool;
}

static void tell_pool_starvation(struct draft *draft, const struct wait_core *core, struct object *pool) {
  struct describe *describe = draft->describe;
  draft->rule = RULE_POOL_STARVATION;
  draft->help = NULL;
  const char *label = describe_object(describe, pool);
  draft->title =
      core->threads.count == 1
          ? arena_print(describe->arena, "the only worker of %s waits for a task that only it could run", label)
          : arena_print(describe->arena, "all %zu workers of %s wait for tasks that only they could run",
                        core->threads.count, label);
}

/* Those who wait for one condition, which woke somebody before, do so at different places, so probably for different
 * things. */
static struct object *shared_condition(const struct wait_core *core) {
  for (size_t i = 0; i < core->threads.count; i++) {
    const struct wait *one = &core->threads.items[i]->wait;
    for (size_t j = 0; j < i && one->kind == WAIT_COND && one->object->was_woken && !one->object->signals; j++) {
      const struct wait *other = &core->threads.items[j]->wait;
      if (other->kind == WAIT_COND && other->object == one->object && other->asked.stack != one->asked.stack)
        return one->object;
    }
  }
  return NULL;
}

static void tell_shared_condition(struct draft *draft, struct object *cond) {
  draft->message = arena_print(draft->describe->arena,
                               "%s They wait for %s at different places: if these are waits for different things, "
                               "waking one thread may wake the wrong one.",
                               draft->message, describe_object(draft->describe, cond));
  draft->help =
      "Let each thing that is waited for have a condition of its own, on the same lock; or wake all who wait, "
      "so that whoever can go on does.";
}

static void report_core(const struct wait_graph *graph, struct describe *describe, uint32_t number,
                        struct found_list *found) {
  const struct wait_core *core = &graph->cores.items[number];
  bool is_self = core->threads.count == 1 && node_of(graph, core->threads.items[0])->cause == CAUSE_SELF;
  struct draft draft = {.describe = describe, .rule = is_self ? RULE_SELF_DEADLOCK : RULE_DEADLOCK, .count = 1};
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "it is so at the end of the trace, and nothing that was recorded can end it";
  draft.title = title_of(graph, describe, core);
  draft.help = is_self ? NULL : help_of(graph, core);
  add_steps(graph, &draft, core);
  draft.message = message_of(graph, describe, core);
  struct object *unheard = lost_wakeup(core), *pool = starved_pool(core), *shared = shared_condition(core);
  if (pool)
    tell_pool_starvation(&draft, core, pool);
  if (shared)
    tell_shared_condition(&draft, shared);
  if (unheard)
    tell_lost_wakeup(graph, &draft, unheard);
  vector_push(describe->arena, found) =
      (struct found){.finding = draft_finish(&draft), .core = (int32_t)number, .group = -1};
}

void deadlock_report(const struct wait_graph *graph, struct describe *describe, struct found_list *found) {
  for (uint32_t i = 0; i < graph->cores.count; i++)
    report_core(graph, describe, i, found);
}

bool deadlock_covers(const struct wait_graph *graph, struct object *const *locks, uint32_t count) {
  for (size_t c = 0; c < graph->cores.count; c++) {
    bool covers = true;
    for (uint32_t i = 0; i < count; i++)
      covers &= is_wanted_by_core(&graph->cores.items[c], locks[i]);
    if (covers)
      return true;
  }
  return false;
}
