/* SPDX-License-Identifier: MIT
 *
 * Children and names that are left behind (see left_behind.h). One thread per value.
 */
#include "left_behind.h"
#include "unseen.h"

/* A parent that ends as its child does need not wait for it: the system takes it over. */
#define LIVES_ON_NS 100000000u

/* It ran to its own exit, and nothing of it is missing. */
static bool has_exited(const struct process *process) {
  return process->over_by && process->is_over && !process->has_execed && !process->is_killed && !process->info->dropped;
}

/* The newest image of the process that began with this one; NULL: another process has its number by now. */
static const struct process *image_of(const struct model *model, const struct process *first) {
  const struct process *image = process_of_pid(model, first->info->pid);
  return image && image->first == first ? image : NULL;
}

/* The program that started the child went on to its exit, and could not have been taken wrongly for one that does not
 * wait. One that became another program left the child to that one, which knows nothing of it. */
static bool is_parent_sure(const struct process *parent) {
  return has_exited(parent) && !parent->ignores_children && !parent->has_unknown_waits &&
         !parent->has_unnamed_children && !parent->has_lost_children;
}

static bool is_zombie(const struct model *model, const struct process *child) {
  const struct process *first = child->first;
  if (!child->has_begun || child->is_reaped || !has_exited(child) || !first->parent || image_of(model, first) != child)
    return false;
  const struct process *parent = first->parent;
  return is_parent_sure(parent) && parent->ended_at.time > child->ended_at.time &&
         trace_ns(model->trace, parent->ended_at.time) - trace_ns(model->trace, child->ended_at.time) >= LIVES_ON_NS;
}

static struct thread *parent_thread(const struct process *child) {
  const struct process *first = child->first;
  if (first->forker && first->forker->serial == first->forker_serial)
    return first->forker;
  return first->parent->over_by;
}

static struct finding child_finding(struct describe *describe, const struct process *child) {
  struct draft draft = {.describe = describe, .rule = RULE_PROCESS_LEAK, .verdict = VERDICT_HAPPENED, .count = 1};
  struct thread *parent = parent_thread(child);
  const char *label = describe_process(describe, child), *who = describe_thread(describe, parent);
  struct origin forked_at = child->first->forked_at;
  draft.reason = "the child's exit was recorded, its parent went on and exited later, and no wait got the child";
  draft.title = arena_print(describe->arena, "%s never waited for %s", who, label);
  draft.message = arena_print(describe->arena,
                              "%s started %s%s. The child ended, but its parent went on and never waited for it: it "
                              "stayed in the system's table of processes as a zombie, and how it ended was not seen.",
                              who, label, describe_at(describe, forked_at));
  draft_step(&draft, parent, "started", (struct draft_object){.process = (struct process *)child}, "", forked_at);
  draft_step(&draft, child->over_by, "exited", (struct draft_object){0}, "and was not waited for", child->ended_at);
  return draft_finish(&draft);
}

static bool are_all_over(const struct model *model) {
  for (uint32_t i = 0; i < model->process_count; i++) {
    const struct process *process = &model->processes[i];
    const struct process *newest = image_of(model, process->first);
    if (!process->has_begun || process->has_lost_children || (newest && !has_exited(newest)) || process->info->dropped)
      return false;
  }
  return true;
}

static struct finding name_finding(struct describe *describe, const struct system_name *name) {
  struct draft draft = {.describe = describe, .rule = RULE_IPC_LEAK, .verdict = VERDICT_HAPPENED, .count = 1};
  const char *what = name->is_semaphore ? "semaphore" : "SharedMemory", *who = describe_thread(describe, name->maker);
  draft.reason = "its making was recorded, no process of the trace removed the name, and all of them have exited";
  draft.title = arena_print(describe->arena, "%s \"%s\" is left in the system", what, name->text);
  draft.message = arena_print(describe->arena,
                              "%s made the %s \"%s\"%s, and nobody removed its name: it keeps its memory until the "
                              "machine restarts, and the next run finds it as it was left.",
                              who, what, name->text, describe_at(describe, name->made));
  draft_step(&draft, name->maker, "made", (struct draft_object){0},
             arena_print(describe->arena, "%s \"%s\"", what, name->text), name->made);
  return draft_finish(&draft);
}

/* Calls one of them for each that is left. */
static void left_behind(struct describe *describe, void (*child)(struct describe *, const struct process *, void *),
                        void (*name)(struct describe *, const struct system_name *, void *), void *context) {
  const struct model *model = describe->model;
  for (uint32_t i = 0; i < model->process_count; i++)
    if (is_zombie(model, &model->processes[i]))
      child(describe, &model->processes[i], context);
  /* Without the shim nobody hears of a removal that is not libsnarl's. */
  bool is_known = model->names.count && unseen_library(model->trace, "libsnarl-preload.so") && are_all_over(model);
  for (size_t i = 0; is_known && i < model->names.count; i++)
    if (model->names.items[i].maker && !model->names.items[i].is_removed)
      name(describe, &model->names.items[i], context);
}

static void announce_child(struct describe *describe, const struct process *child, void *context) {
  (void)context;
  describe_announce(describe, parent_thread(child));
  describe_announce(describe, child->over_by);
}
static void announce_name(struct describe *describe, const struct system_name *name, void *context) {
  (void)context;
  describe_announce(describe, name->maker);
}
static void report_child(struct describe *describe, const struct process *child, void *context) {
  struct found_list *found = context;
  found_merge(describe, found, 0, child_finding(describe, child));
}
static void report_name(struct describe *describe, const struct system_name *name, void *context) {
  struct found_list *found = context;
  found_merge(describe, found, 0, name_finding(describe, name));
}

void left_behind_announce(struct describe *describe) { left_behind(describe, announce_child, announce_name, NULL); }
void left_behind_report(struct describe *describe, struct found_list *found) {
  left_behind(describe, report_child, report_name, found);
}
