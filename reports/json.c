/* SPDX-License-Identifier: MIT
 *
 * The report for programs: one JSON object, the stable machine interface. Fields are only ever added; their order is
 * the order of the code below. Called by one thread at a time.
 */
#include "formats.h"
#include "plain.h"
#include "whole.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every json_t below may be NULL when memory is out: jansson's "_new" setters then fail and drop what they were given.
 * `is_short` remembers it, so that a report is whole or not written at all. */
struct builder {
  bool is_short;
};

static void put(struct builder *builder, json_t *object, const char *key, json_t *value) {
  if (json_object_set_new_nocheck(object, key, value) != 0)
    builder->is_short = true;
}

static void append(struct builder *builder, json_t *array, json_t *value) {
  if (json_array_append_new(array, value) != 0)
    builder->is_short = true;
}

static void put_text(struct builder *builder, json_t *object, const char *key, const char *text) {
  char *safe = plain_utf8(text);
  put(builder, object, key, safe == NULL ? NULL : json_string_nocheck(safe));
  free(safe);
}

/* JSON integers here are signed 64-bit: larger ones are told as the largest. */
static void put_number(struct builder *builder, json_t *object, const char *key, uint64_t number) {
  put(builder, object, key, json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

static void put_bool(struct builder *builder, json_t *object, const char *key, bool value) {
  put(builder, object, key, json_boolean(value));
}

static json_t *frame_json(struct builder *builder, const struct finding_frame *frame) {
  json_t *object = json_object();
  put_text(builder, object, "function", frame->function);
  put_text(builder, object, "file", frame->file);
  put_number(builder, object, "line", frame->line);
  put_text(builder, object, "module", frame->module);
  put_number(builder, object, "offset", frame->offset);
  put_bool(builder, object, "inlined", frame->is_inlined);
  put_bool(builder, object, "internal", frame->is_internal);
  return object;
}

static json_t *stack_json(struct builder *builder, const struct finding_stack *stack) {
  json_t *array = json_array();
  for (size_t i = 0; i < stack->count; i++)
    append(builder, array, frame_json(builder, &stack->frames[i]));
  return array;
}

static json_t *thread_json(struct builder *builder, const struct finding_thread *thread) {
  json_t *object = json_object();
  put_number(builder, object, "pid", thread->pid);
  put_number(builder, object, "tid", thread->tid);
  put_text(builder, object, "name", thread->name);
  put_text(builder, object, "label", thread->label);
  put(builder, object, "created", stack_json(builder, &thread->created));
  return object;
}

static json_t *object_json(struct builder *builder, const struct finding_object *it) {
  json_t *object = json_object();
  put_text(builder, object, "kind", it->kind);
  put_text(builder, object, "name", it->name);
  put_text(builder, object, "address", it->address);
  put_bool(builder, object, "shared", it->is_shared);
  put_text(builder, object, "label", it->label);
  put(builder, object, "created", stack_json(builder, &it->created));
  return object;
}

/* "thread" and "object" are positions in the finding's "threads" and "objects"; no object is null. */
static json_t *step_json(struct builder *builder, const struct finding_step *step) {
  json_t *object = json_object();
  put_number(builder, object, "thread", step->thread);
  put_text(builder, object, "op", step->op);
  put(builder, object, "object", step->object < 0 ? json_null() : json_integer(step->object));
  put_text(builder, object, "note", step->note);
  put_number(builder, object, "time_ns", step->time_ns);
  put(builder, object, "stack", stack_json(builder, &step->stack));
  put_bool(builder, object, "stack_cut", step->stack.is_cut);
  return object;
}

static void put_participants(struct builder *builder, json_t *object, const struct finding *finding) {
  json_t *threads = json_array(), *objects = json_array(), *steps = json_array();
  for (size_t i = 0; i < finding->thread_count; i++)
    append(builder, threads, thread_json(builder, &finding->threads[i]));
  for (size_t i = 0; i < finding->object_count; i++)
    append(builder, objects, object_json(builder, &finding->objects[i]));
  for (size_t i = 0; i < finding->step_count; i++)
    append(builder, steps, step_json(builder, &finding->steps[i]));
  put(builder, object, "threads", threads);
  put(builder, object, "objects", objects);
  put(builder, object, "steps", steps);
}

static json_t *finding_json(struct builder *builder, const struct finding *finding) {
  json_t *object = json_object();
  put_text(builder, object, "id", finding->id);
  put_text(builder, object, "rule", finding_rule_info(finding->rule)->id);
  put_text(builder, object, "level", finding_level_name(finding->level));
  put_text(builder, object, "verdict", finding_verdict_name(finding->verdict));
  put_text(builder, object, "reason", finding->reason);
  put_text(builder, object, "title", finding->title);
  put_text(builder, object, "message", finding->message);
  put_text(builder, object, "help", finding->help);
  put_participants(builder, object, finding);
  put_number(builder, object, "count", finding->count);
  return object;
}

static json_t *findings_json(struct builder *builder, const struct finding *findings, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++)
    append(builder, array, finding_json(builder, &findings[i]));
  return array;
}

static json_t *process_json(struct builder *builder, const struct finding_process *process) {
  json_t *object = json_object();
  put_number(builder, object, "pid", process->pid);
  put_number(builder, object, "parent_pid", process->parent_pid);
  put_text(builder, object, "exe", process->exe);
  put_text(builder, object, "command", process->command);
  put_number(builder, object, "threads", process->threads);
  put_bool(builder, object, "ended", process->ended);
  put(builder, object, "exit_status", process->ended ? json_integer(process->exit_status) : json_null());
  return object;
}

static json_t *stats_json(struct builder *builder, const struct report *report) {
  json_t *object = json_object();
  put_number(builder, object, "records", report->stats.records);
  put_number(builder, object, "threads", report->stats.threads);
  put_number(builder, object, "objects", report->stats.objects);
  put_number(builder, object, "bytes", report->stats.bytes);
  put(builder, object, "seconds", isfinite(report->stats.seconds) ? json_real(report->stats.seconds) : json_null());
  return object;
}

static json_t *blind_spot_json(struct builder *builder, const struct finding_blind_spot *spot) {
  json_t *object = json_object(), *sites = json_array();
  put_text(builder, object, "what", spot->what);
  put_text(builder, object, "help", spot->help);
  put_number(builder, object, "waits", spot->waits);
  for (size_t i = 0; i < spot->site_count; i++) {
    const struct finding_frame *frame = &spot->sites[i].frame;
    json_t *site = json_object();
    put_text(builder, site, "function", frame->function);
    put_text(builder, site, "file", frame->file);
    put_number(builder, site, "line", frame->line);
    put_text(builder, site, "module", frame->module);
    put_number(builder, site, "offset", frame->offset);
    put_number(builder, site, "waits", spot->sites[i].waits);
    append(builder, sites, site);
  }
  put(builder, object, "sites", sites);
  return object;
}

static json_t *report_json(struct builder *builder, const struct report *report) {
  json_t *object = json_object(), *processes = json_array(), *problems = json_array();
  put_number(builder, object, "snarl", 1);
  put_text(builder, object, "trace", report->trace);
  put_bool(builder, object, "complete", report->is_complete);
  put_number(builder, object, "dropped", report->dropped);
  for (size_t i = 0; i < report->process_count; i++)
    append(builder, processes, process_json(builder, &report->processes[i]));
  put(builder, object, "processes", processes);
  put(builder, object, "findings", findings_json(builder, report->findings, report->finding_count));
  if (report->impossible_count > 0)
    put(builder, object, "impossible", findings_json(builder, report->impossible, report->impossible_count));
  put_number(builder, object, "impossible_hidden", report->impossible_hidden);
  put(builder, object, "stats", stats_json(builder, report));
  for (size_t i = 0; i < report->problem_count; i++) {
    char *safe = plain_utf8(report->problems[i]);
    append(builder, problems, safe == NULL ? NULL : json_string_nocheck(safe));
    free(safe);
  }
  put(builder, object, "problems", problems);
  json_t *unseen = json_array();
  for (size_t i = 0; i < report->blind_spot_count; i++)
    append(builder, unseen, blind_spot_json(builder, &report->blind_spots[i]));
  put(builder, object, "unseen", unseen);
  return object;
}

int json_render(const struct report *report, const struct render_options *options, FILE *out) {
  (void)options;
  struct builder builder = {false};
  json_t *root = report_json(&builder, report);
  char *text = root == NULL || builder.is_short ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  json_decref(root);
  if (text == NULL)
    return ENOMEM;
  int error = whole_write_bytes(text, strlen(text), out);
  if (error == 0)
    error = whole_write_bytes("\n", 1, out);
  free(text);
  return error;
}
