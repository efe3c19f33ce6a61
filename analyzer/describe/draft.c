/* SPDX-License-Identifier: MIT
 *
 * Findings put together from steps (see describe.h). One thread per value.
 */
#include "../model/channel.h"
#include "describe.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define SITE_FRAMES 3u /* frames of the program's own that make a site in a fingerprint */

uint32_t draft_thread(struct draft *draft, struct thread *thread) {
  for (uint32_t i = 0; i < draft->threads.count; i++)
    if (draft->threads.items[i] == thread)
      return i;
  vector_push(draft->describe->arena, &draft->threads) = thread;
  return (uint32_t)draft->threads.count - 1;
}

int32_t draft_object(struct draft *draft, struct draft_object object) {
  if (!object.object && !object.thread && !object.process)
    return -1;
  for (size_t i = 0; i < draft->objects.count; i++)
    if (draft->objects.items[i].object == object.object && draft->objects.items[i].thread == object.thread &&
        draft->objects.items[i].process == object.process)
      return (int32_t)i;
  vector_push(draft->describe->arena, &draft->objects) = object;
  return (int32_t)draft->objects.count - 1;
}

void draft_step(struct draft *draft, struct thread *thread, const char *op, struct draft_object object,
                const char *note, struct origin origin) {
  struct draft_step step = {.op = op, .note = note, .origin = origin, .order = (uint32_t)draft->steps.count};
  step.thread = draft_thread(draft, thread);
  step.object = draft_object(draft, object);
  vector_push(draft->describe->arena, &draft->steps) = step;
}

void draft_block(struct draft *draft, struct thread *thread, struct draft_object object, const char *note,
                 struct origin origin) {
  draft_step(draft, thread, "waits for", object, note, origin);
  draft->steps.items[draft->steps.count - 1].is_block = true;
}

const char *draft_join(struct describe *describe, const char *const *parts, size_t count) {
  const char *text = count ? parts[0] : "";
  for (size_t i = 1; i < count; i++)
    text = arena_print(describe->arena, "%s%s%s", text, i + 1 == count ? " and " : ", ", parts[i]);
  return text;
}

static int compare_steps(const void *a, const void *b) {
  const struct draft_step *left = a, *right = b;
  if (left->origin.time != right->origin.time)
    return left->origin.time < right->origin.time ? -1 : 1;
  return (left->order > right->order) - (left->order < right->order);
}

static const char *site_text(struct draft *draft, const struct draft_step *step) {
  struct finding_stack stack = describe_stack(draft->describe, step->origin);
  const struct finding_frame *site = describe_site(stack);
  const char *text = step->op;
  unsigned used = 0;
  for (size_t i = site ? (size_t)(site - stack.frames) : 0; i < stack.count && used < SITE_FRAMES; i++) {
    const struct finding_frame *frame = &stack.frames[i];
    if (frame->is_internal && frame != site)
      continue;
    text = arena_print(draft->describe->arena, "%s|%s@%s", text, frame->function,
                       base_name(*frame->file ? frame->file : frame->module));
    used++;
  }
  if ((!site || is_interpreter(site)) && step->object >= 0 && draft->objects.items[step->object].object)
    text = arena_print(draft->describe->arena, "%s|%s", text,
                       describe_object(draft->describe, draft->objects.items[step->object].object));
  return text;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

uint64_t draft_fingerprint(const struct draft *draft) {
  struct arena *arena = draft->describe->arena;
  const char **texts = arena_alloc(arena, (draft->steps.count + 1) * sizeof *texts);
  for (size_t i = 0; i < draft->steps.count; i++)
    texts[i] = site_text((struct draft *)draft, &draft->steps.items[i]);
  qsort(texts, draft->steps.count, sizeof *texts, compare_texts);
  texts[draft->steps.count] = finding_rule_info(draft->rule)->id;
  uint64_t hash = 14695981039346656037ull; /* FNV-1a */
  for (size_t i = 0; i <= draft->steps.count; i++)
    for (const char *c = texts[i];; c++) {
      hash = (hash ^ (unsigned char)*c) * 1099511628211ull;
      if (!*c)
        break;
    }
  return hash;
}

static struct finding_thread finish_thread(struct describe *describe, struct thread *thread) {
  const char *label = describe_thread(describe, thread);
  struct finding_thread made = {.pid = thread->process->info->pid, .tid = thread->tid, .label = label};
  made.name = describe_thread_name(describe, thread);
  made.created = describe_stack(describe, thread->created);
  return made;
}

static const char *address_of(struct describe *describe, const struct object *object) {
  if (object->file)
    return arena_print(describe->arena, "%" PRIu32 ":%" PRIu32 ":%" PRIu64, object->file->major, object->file->minor,
                       object->file->inode);
  if (object->channel)
    return arena_print(describe->arena, "%" PRIu64, object->channel->key);
  if (object->is_sysv)
    return arena_print(describe->arena, "%" PRIu64 "[%" PRIu64 "]", object->inode, object->offset);
  if (!object->is_shared)
    return arena_print(describe->arena, "0x%" PRIx64, object->address & ADDRESS_OF_KEY);
  return arena_print(describe->arena, "%" PRIu64 ":%" PRIu64 ":%" PRIu64 "+0x%" PRIx64, (uint64_t)major(object->device),
                     (uint64_t)minor(object->device), object->inode, object->offset & ADDRESS_OF_KEY);
}

static struct finding_object finish_object(struct describe *describe, const struct draft_object *draft) {
  struct finding_object made = {.name = "", .address = ""};
  if (draft->thread) {
    made.kind = "thread";
    made.label = describe_thread(describe, draft->thread);
    made.created = describe_stack(describe, draft->thread->created);
  } else if (draft->process) {
    made.kind = "process";
    made.label = describe_process(describe, draft->process);
  } else {
    made.kind = object_kind(draft->object);
    made.name = draft->object->name ? draft->object->name : describe_variable(describe, draft->object);
    made.label = describe_object(describe, draft->object);
    made.address = address_of(describe, draft->object);
    made.is_shared = draft->object->is_shared || draft->object->family == SNARLI_CHANNEL;
    made.created = describe_stack(describe, draft->object->created);
  }
  return made;
}

static void finish_steps(struct draft *draft, struct finding *finding) {
  struct describe *describe = draft->describe;
  struct finding_step *steps = arena_alloc(describe->arena, (draft->steps.count + 1) * sizeof *steps);
  qsort(draft->steps.items, draft->steps.count, sizeof *draft->steps.items, compare_steps);
  for (size_t i = 0; i < draft->steps.count; i++) {
    const struct draft_step *step = &draft->steps.items[i];
    steps[i] = (struct finding_step){.thread = step->thread, .object = step->object, .op = step->op};
    steps[i].note = step->note;
    steps[i].time_ns = step->origin.time ? trace_ns(describe->model->trace, step->origin.time) : 0;
    steps[i].stack = describe_stack(describe, step->origin);
    const char *what = step->object >= 0 ? finding->objects[step->object].label : "";
    vector_push(describe->arena, &describe->marks) =
        (struct step_mark){.steps = steps,
                           .words = arena_print(describe->arena, "%s%s%s", step->op, *what ? " " : "", what),
                           .thread = draft->threads.items[step->thread]->serial,
                           .time = step->origin.time};
  }
  finding->steps = steps;
  finding->step_count = draft->steps.count;
}

struct finding draft_finish(struct draft *draft) {
  struct describe *describe = draft->describe;
  const struct finding_rule_info *rule = finding_rule_info(draft->rule);
  struct finding finding = {.rule = draft->rule,
                            .level = rule->level,
                            .verdict = draft->verdict,
                            .help = draft->help ? draft->help : rule->help};
  finding.reason = draft->reason;
  finding.title = draft->title;
  finding.message = draft->message;
  finding.count = draft->count;
  snprintf(finding.id, sizeof finding.id, "%016" PRIx64, draft_fingerprint(draft));
  struct finding_thread *threads = arena_alloc(describe->arena, (draft->threads.count + 1) * sizeof *threads);
  for (size_t i = 0; i < draft->threads.count; i++)
    threads[i] = finish_thread(describe, draft->threads.items[i]);
  for (size_t i = 0; i < draft->steps.count; i++)
    threads[draft->steps.items[i].thread].is_blocked |= draft->steps.items[i].is_block;
  struct finding_object *objects = arena_alloc(describe->arena, (draft->objects.count + 1) * sizeof *objects);
  for (size_t i = 0; i < draft->objects.count; i++)
    objects[i] = finish_object(describe, &draft->objects.items[i]);
  finding.threads = threads;
  finding.thread_count = draft->threads.count;
  finding.objects = objects;
  finding.object_count = draft->objects.count;
  finish_steps(draft, &finding);
  return finding;
}

void found_merge(struct describe *describe, struct found_list *found, size_t from, struct finding finding) {
  for (size_t i = from; i < found->count; i++)
    if (!strcmp(found->items[i].finding.id, finding.id)) {
      found->items[i].finding.count++;
      return;
    }
  vector_push(describe->arena, found) = (struct found){.finding = finding, .core = -1, .group = -1};
}
