/* SPDX-License-Identifier: MIT
 *
 * Threads and locks that are left behind (see leaks.h). One thread per value.
 */
#include "leaks.h"
#include <string.h>

/* It ran to its own exit, and nothing of it is missing. */
static bool is_judged(const struct process *process) {
  return process->over_by && process->is_over && !process->has_execed && !process->info->dropped;
}

/* A thread that still runs when its process exits was meant to; one that ended keeps its stack until it is joined. */
static bool is_leaked(const struct thread *thread) {
  return thread && thread->index && thread->is_ended && !thread->is_joined && !thread->is_detached &&
         thread->created.time && is_judged(thread->process);
}

static bool is_awaited(const struct leaks *leaks, const struct object *lock) {
  for (uint32_t i = 0; i < leaks->waits->thread_count; i++)
    if (leaks->waits->nodes[i].is_stuck && leaks->waits->nodes[i].thread->wait.object == lock)
      return true;
  return false;
}

/* A private lock of a process that is over is gone with it; a robust one is given back. */
static bool is_lost(const struct thread *holder, const struct hold *hold) {
  const struct object *lock = hold->object;
  if (lock->is_doubted || lock->is_gone || lock->type & SNARLI_T_ROBUST)
    return false;
  if (lock->family != SNARLI_MUTEX && lock->family != SNARLI_RWLOCK && lock->family != SNARLI_SPIN)
    return false;
  if (holder->is_ended)
    return !holder->process->info->dropped;
  return lock->is_shared && is_judged(holder->process);
}

/* Calls `visit` for each lock that was left held. */
static void lost_locks(const struct leaks *leaks,
                       void (*visit)(const struct leaks *, struct thread *, const struct hold *, void *),
                       void *context) {
  const struct model *model = leaks->describe->model;
  for (size_t i = 0; i < model->threads.count; i++) {
    struct thread *thread = model->threads.items[i];
    for (size_t h = 0; thread && h < thread->holds.count; h++)
      if (is_lost(thread, &thread->holds.items[h]) && !is_awaited(leaks, thread->holds.items[h].object))
        visit(leaks, thread, &thread->holds.items[h], context);
  }
}

/* The same place in the program makes the same finding: it is counted, not repeated. */
static void add(const struct leaks *leaks, struct found_list *found, struct draft *draft) {
  struct finding finding = draft_finish(draft);
  for (size_t i = 0; i < found->count; i++)
    if (found->items[i].finding.rule == finding.rule && !strcmp(found->items[i].finding.id, finding.id)) {
      found->items[i].finding.count += finding.count;
      return;
    }
  vector_push(leaks->describe->arena, found) = (struct found){.finding = finding, .core = -1, .group = -1};
}

static void announce_holder(const struct leaks *leaks, struct thread *thread, const struct hold *hold, void *context) {
  (void)hold;
  (void)context;
  describe_announce(leaks->describe, thread);
}

/* Those that failed, live to the end of their process, and were not asked. */
static void note_lost_exceptions(struct model *model) {
  for (size_t i = 0; i < model->objects.count; i++) {
    struct object *object = model->objects.items[i];
    if (object && object->family == SNARLI_FUTURE && is_judged(object->process))
      future_note_lost(model, object);
  }
}

void leaks_announce(const struct leaks *leaks) {
  struct model *model = leaks->describe->model;
  note_lost_exceptions(model);
  for (size_t i = 0; i < model->threads.count; i++)
    if (is_leaked(model->threads.items[i]))
      describe_announce(leaks->describe, model->threads.items[i]);
  lost_locks(leaks, announce_holder, NULL);
}

static void report_thread(const struct leaks *leaks, struct thread *thread, struct found_list *found) {
  struct describe *describe = leaks->describe;
  struct draft draft = {.describe = describe, .rule = RULE_THREAD_LEAK, .verdict = VERDICT_HAPPENED, .count = 1};
  const char *label = describe_thread(describe, thread);
  draft.reason = "the thread ended, its process went on to exit, and no join or detach of it was recorded";
  draft.title = arena_print(describe->arena, "%s was neither joined nor detached", label);
  draft.message = arena_print(describe->arena,
                              "%s was started%s and ended, but nobody joined it and it was not detached: its stack and "
                              "its result are kept until the process exits.",
                              label, describe_at(describe, thread->created));
  draft_step(&draft, thread, "was started", (struct draft_object){0}, "", thread->created);
  draft_step(&draft, thread, "ended", (struct draft_object){0}, "and was never joined", thread->ended);
  add(leaks, found, &draft);
}

static void report_lock(const struct leaks *leaks, struct thread *thread, const struct hold *hold, void *context) {
  struct describe *describe = leaks->describe;
  struct draft draft = {.describe = describe, .rule = RULE_LOCK_HELD_AT_EXIT, .count = 1};
  const char *label = describe_thread(describe, thread), *lock = describe_object(describe, hold->object);
  const char *ended = thread->is_ended ? "ended" : "exited with its process";
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "the acquisition was recorded, a release was not, and its holder is gone";
  draft.title = arena_print(describe->arena, "%s %s while it held %s", label, ended, lock);
  draft.message =
      arena_print(describe->arena, "%s took %s%s and %s without releasing it: whoever wants it next waits for ever.",
                  label, lock, describe_at(describe, hold->taken), ended);
  draft_step(&draft, thread, "acquired", (struct draft_object){.object = hold->object}, "", hold->taken);
  if (thread->is_ended)
    draft_step(&draft, thread, "ended", (struct draft_object){0}, "without releasing it", thread->ended);
  add(leaks, context, &draft);
}

/* Made in a process that exited, and open until then. */
static bool is_open_pool(const struct object *object) {
  return object && object->family == SNARLI_FUTURE && object->kind && !object->is_done && !object->is_doubted &&
         is_judged(object->process);
}

static void report_pool(const struct leaks *leaks, struct object *pool, struct found_list *found) {
  struct describe *describe = leaks->describe;
  struct draft draft = {.describe = describe, .rule = RULE_POOL_LEAK, .verdict = VERDICT_HAPPENED, .count = 1};
  const char *label = describe_object(describe, pool);
  draft.reason = "its making was recorded, a shutdown was not, and its process went on to exit";
  draft.title = arena_print(describe->arena, "%s was never shut down", label);
  draft.message = arena_print(describe->arena, "%s%s was never shut down: its workers stayed until the process exited.",
                              label, describe_at(describe, pool->created));
  draft_step(&draft, pool->process->over_by, "exited", (struct draft_object){.object = pool},
             "without shutting it down", pool->created);
  add(leaks, found, &draft);
}

/* The end of a block, or of the program, is no wish to have work dropped. */
static void report_dropped(const struct leaks *leaks, const struct dropped_work *dropped, struct found_list *found) {
  struct describe *describe = leaks->describe;
  struct draft draft = {.describe = describe, .rule = RULE_TASK_LEAK, .verdict = VERDICT_HAPPENED, .count = 1};
  const char *label = describe_object(describe, dropped->pool), *more = dropped->count == UINT8_MAX ? " or more" : "";
  draft.reason = "libsnarl counted what was cancelled or ended when the pool was terminated without a call for that";
  draft.title = arena_print(describe->arena, "%s was terminated before its work was done", label);
  draft.message = arena_print(describe->arena,
                              "%s%s was terminated by the end of its block or of the program, and neither closed nor "
                              "terminated by a call before: %u%s of its tasks were dropped.",
                              label, describe_at(describe, dropped->pool->created), dropped->count, more);
  draft_step(&draft, dropped->collector, "dropped tasks of", (struct draft_object){.object = dropped->pool}, "",
             dropped->at);
  add(leaks, found, &draft);
}

static void report_exception(const struct leaks *leaks, const struct lost_exception *lost, struct found_list *found) {
  struct describe *describe = leaks->describe;
  struct draft draft = {.describe = describe, .rule = RULE_LOST_EXCEPTION, .count = lost->count};
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "the task's failure was recorded, and nobody asked for its result or error before it was forgotten";
  draft.title = arena_print(describe->arena, "a task submitted%s failed, and nobody asked",
                            describe_at(describe, lost->submitted));
  draft.message = arena_print(describe->arena,
                              "%s ran a task that was submitted%s. It failed, but nobody asked its future for the "
                              "result or the error.",
                              describe_thread(describe, lost->worker), describe_at(describe, lost->submitted));
  draft_step(&draft, lost->worker, "ran a task submitted here", (struct draft_object){0}, "", lost->submitted);
  draft_step(&draft, lost->worker, "failed in it", (struct draft_object){0}, "", lost->failed);
  add(leaks, found, &draft);
}

static void report_child(const struct leaks *leaks, const struct lost_exception *lost, struct found_list *found) {
  struct describe *describe = leaks->describe;
  struct draft draft = {.describe = describe, .rule = RULE_LOST_EXCEPTION, .count = lost->count};
  const char *how = lost->exit_code ? arena_print(describe->arena, "ended with exit code %u", lost->exit_code)
                                    : "was ended by a signal";
  const char *child = lost->child ? arena_print(describe->arena, " (%s)", describe_process(describe, lost->child)) : "";
  draft.verdict = VERDICT_HAPPENED;
  draft.reason =
      "libsnarl found the failure when the parent exited, and neither a join nor a look at the exit code came "
      "before";
  draft.title = arena_print(describe->arena, "a process started%s failed, and nobody asked",
                            describe_at(describe, lost->submitted));
  draft.message = arena_print(describe->arena,
                              "A process%s that was started%s %s, but its parent exited without having joined it or "
                              "looked at its exit code.",
                              child, describe_at(describe, lost->submitted), how);
  draft_step(&draft, lost->worker, "exited after a process was started here", (struct draft_object){0}, "",
             lost->submitted);
  add(leaks, found, &draft);
}

static void report_tasks(const struct leaks *leaks, struct found_list *found) {
  struct model *model = leaks->describe->model;
  for (size_t i = 0; i < model->objects.count; i++)
    if (is_open_pool(model->objects.items[i]))
      report_pool(leaks, model->objects.items[i], found);
  for (size_t i = 0; i < model->dropped.count; i++)
    report_dropped(leaks, &model->dropped.items[i], found);
  for (size_t i = 0; i < model->lost.count; i++)
    if (model->lost.items[i].is_child)
      report_child(leaks, &model->lost.items[i], found);
    else if (model->lost.items[i].worker)
      report_exception(leaks, &model->lost.items[i], found);
}

void leaks_report(const struct leaks *leaks, struct found_list *found) {
  const struct model *model = leaks->describe->model;
  for (size_t i = 0; i < model->threads.count; i++)
    if (is_leaked(model->threads.items[i]))
      report_thread(leaks, model->threads.items[i], found);
  lost_locks(leaks, report_lock, found);
  report_tasks(leaks, found);
}
