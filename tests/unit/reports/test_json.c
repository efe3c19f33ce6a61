/* SPDX-License-Identifier: MIT
 *
 * The JSON report, parsed back and compared field by field with the report it was made of. One thread.
 */
#include "plain.h"
#include "rendered.h"
#include "sample.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *json_of(const struct report *report) {
  static const struct render_options options;
  json_error_t error;
  size_t size;
  char *text = rendered("json", report, &options, &size);
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (root == NULL)
    fail_msg("%s at line %d", error.text, error.line);
  assert_int_equal(text[size - 1], '\n');
  free(text);
  return root;
}

static void expect_text(const json_t *object, const char *key, const char *expected) {
  char *valid = plain_utf8(expected);
  assert_true(json_is_string(json_object_get(object, key)));
  assert_string_equal(json_string_value(json_object_get(object, key)), valid);
  free(valid);
}

static void expect_number(const json_t *object, const char *key, uint64_t expected) {
  assert_true(json_is_integer(json_object_get(object, key)));
  assert_int_equal(json_integer_value(json_object_get(object, key)), expected > INT64_MAX ? INT64_MAX : expected);
}

static void expect_bool(const json_t *object, const char *key, bool expected) {
  assert_true(json_is_boolean(json_object_get(object, key)));
  assert_int_equal(json_is_true(json_object_get(object, key)), expected);
}

static void expect_stack(const json_t *array, const struct finding_stack *stack) {
  assert_int_equal(json_array_size(array), stack->count);
  for (size_t i = 0; i < stack->count; i++) {
    const json_t *frame = json_array_get(array, i);
    expect_text(frame, "function", stack->frames[i].function);
    expect_text(frame, "file", stack->frames[i].file);
    expect_number(frame, "line", stack->frames[i].line);
    expect_text(frame, "module", stack->frames[i].module);
    expect_number(frame, "offset", stack->frames[i].offset);
    expect_bool(frame, "inlined", stack->frames[i].is_inlined);
    expect_bool(frame, "internal", stack->frames[i].is_internal);
  }
}

static void expect_participants(const json_t *object, const struct finding *finding) {
  const json_t *threads = json_object_get(object, "threads"), *objects = json_object_get(object, "objects");
  assert_int_equal(json_array_size(threads), finding->thread_count);
  for (size_t i = 0; i < finding->thread_count; i++) {
    const json_t *thread = json_array_get(threads, i);
    expect_number(thread, "pid", finding->threads[i].pid);
    expect_number(thread, "tid", finding->threads[i].tid);
    expect_text(thread, "name", finding->threads[i].name);
    expect_text(thread, "label", finding->threads[i].label);
    expect_stack(json_object_get(thread, "created"), &finding->threads[i].created);
  }
  assert_int_equal(json_array_size(objects), finding->object_count);
  for (size_t i = 0; i < finding->object_count; i++) {
    const json_t *it = json_array_get(objects, i);
    expect_text(it, "kind", finding->objects[i].kind);
    expect_text(it, "name", finding->objects[i].name);
    expect_text(it, "label", finding->objects[i].label);
    expect_text(it, "address", finding->objects[i].address);
    expect_bool(it, "shared", finding->objects[i].is_shared);
    expect_stack(json_object_get(it, "created"), &finding->objects[i].created);
  }
}

static void expect_finding(const json_t *object, const struct finding *finding) {
  const json_t *steps = json_object_get(object, "steps");
  expect_text(object, "id", finding->id);
  expect_text(object, "rule", finding_rule_info(finding->rule)->id);
  expect_text(object, "level", finding_level_name(finding->level));
  expect_text(object, "verdict", finding_verdict_name(finding->verdict));
  expect_text(object, "reason", finding->reason);
  expect_text(object, "title", finding->title);
  expect_text(object, "message", finding->message);
  expect_text(object, "help", finding->help);
  expect_number(object, "count", finding->count);
  expect_participants(object, finding);
  assert_int_equal(json_array_size(steps), finding->step_count);
  for (size_t i = 0; i < finding->step_count; i++) {
    const struct finding_step *it = &finding->steps[i];
    const json_t *step = json_array_get(steps, i);
    expect_number(step, "thread", it->thread);
    expect_text(step, "op", it->op);
    expect_text(step, "note", it->note);
    expect_number(step, "time_ns", it->time_ns);
    expect_bool(step, "stack_cut", it->stack.is_cut);
    expect_stack(json_object_get(step, "stack"), &it->stack);
    if (it->object < 0)
      assert_true(json_is_null(json_object_get(step, "object")));
    else
      expect_number(step, "object", (uint64_t)it->object);
  }
}

static void expect_processes(const json_t *array, const struct report *report) {
  assert_int_equal(json_array_size(array), report->process_count);
  for (size_t i = 0; i < report->process_count; i++) {
    const struct finding_process *it = &report->processes[i];
    const json_t *process = json_array_get(array, i);
    expect_number(process, "pid", it->pid);
    expect_number(process, "parent_pid", it->parent_pid);
    expect_text(process, "exe", it->exe);
    expect_text(process, "command", it->command);
    expect_number(process, "threads", it->threads);
    expect_bool(process, "ended", it->ended);
    if (it->ended)
      assert_int_equal(json_integer_value(json_object_get(process, "exit_status")), it->exit_status);
    else
      assert_true(json_is_null(json_object_get(process, "exit_status")));
  }
}

static void expect_blind_spots(const json_t *array, const struct report *report) {
  assert_int_equal(json_array_size(array), report->blind_spot_count);
  for (size_t i = 0; i < report->blind_spot_count; i++) {
    const struct finding_blind_spot *it = &report->blind_spots[i];
    const json_t *spot = json_array_get(array, i), *sites = json_object_get(spot, "sites");
    expect_text(spot, "what", it->what);
    expect_text(spot, "help", it->help);
    expect_number(spot, "waits", it->waits);
    assert_int_equal(json_array_size(sites), it->site_count);
    for (size_t s = 0; s < it->site_count; s++) {
      const json_t *site = json_array_get(sites, s);
      expect_text(site, "function", it->sites[s].frame.function);
      expect_text(site, "file", it->sites[s].frame.file);
      expect_text(site, "module", it->sites[s].frame.module);
      expect_number(site, "line", it->sites[s].frame.line);
      expect_number(site, "offset", it->sites[s].frame.offset);
      expect_number(site, "waits", it->sites[s].waits);
    }
  }
}

static void expect_report(const json_t *root, const struct report *report) {
  const json_t *stats = json_object_get(root, "stats"), *findings = json_object_get(root, "findings"),
               *problems = json_object_get(root, "problems");
  expect_number(root, "snarl", 1);
  expect_text(root, "trace", report->trace);
  expect_bool(root, "complete", report->is_complete);
  expect_number(root, "dropped", report->dropped);
  expect_number(root, "impossible_hidden", report->impossible_hidden);
  expect_processes(json_object_get(root, "processes"), report);
  expect_blind_spots(json_object_get(root, "unseen"), report);
  assert_int_equal(json_array_size(findings), report->finding_count);
  for (size_t i = 0; i < report->finding_count; i++)
    expect_finding(json_array_get(findings, i), &report->findings[i]);
  assert_int_equal(json_object_get(root, "impossible") != NULL, report->impossible_count > 0);
  for (size_t i = 0; i < report->impossible_count; i++)
    expect_finding(json_array_get(json_object_get(root, "impossible"), i), &report->impossible[i]);
  assert_int_equal(json_array_size(problems), report->problem_count);
  for (size_t i = 0; i < report->problem_count; i++)
    assert_string_equal(json_string_value(json_array_get(problems, i)), report->problems[i]);
  expect_number(stats, "records", report->stats.records);
  expect_number(stats, "threads", report->stats.threads);
  expect_number(stats, "objects", report->stats.objects);
  expect_number(stats, "bytes", report->stats.bytes);
  if (report->stats.seconds == report->stats.seconds)
    assert_true(json_real_value(json_object_get(stats, "seconds")) == report->stats.seconds);
  else
    assert_true(json_is_null(json_object_get(stats, "seconds")));
}

static void every_sample_comes_back(void **state) {
  (void)state;
  for (size_t i = 0; sample_at(i) != NULL; i++) {
    json_t *root = json_of(sample_at(i)->report());
    expect_report(root, sample_at(i)->report());
    json_decref(root);
  }
}

/* The design's order of fields: people read it too. */
static void fields_keep_their_order(void **state) {
  (void)state;
  static const char *const order[] = {"snarl", "trace", "complete", "dropped", "processes", "findings"};
  json_t *root = json_of(sample_report("two-locks"));
  void *at = json_object_iter(root);
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++, at = json_object_iter_next(root, at))
    assert_string_equal(json_object_iter_key(at), order[i]);
  json_decref(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_sample_comes_back),
      cmocka_unit_test(fields_keep_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
