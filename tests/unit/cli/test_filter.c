/* SPDX-License-Identifier: MIT
 *
 * Suppressions, baselines and what they do to a report. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The obvious matcher, exponential in the number of stars. */
static bool slow_here(const char *p, const char *end, const char *t, bool to_end) {
  if (p == end)
    return !to_end || !*t;
  if (*p == '*') {
    for (;; t++) {
      if (slow_here(p + 1, end, t, to_end))
        return true;
      if (!*t)
        return false;
    }
  }
  return *t == *p && slow_here(p + 1, end, t + 1, to_end);
}

static bool slow_matches(const char *p, const char *t) {
  const char *end = p + strlen(p);
  bool from_start = *p == '^', to_end = end > p + from_start && end[-1] == '$';
  p += from_start;
  end -= to_end;
  for (;; t++) {
    if (slow_here(p, end, t, to_end))
      return true;
    if (from_start || !*t)
      return false;
  }
}

static void test_patterns_against_the_obvious(void **state) {
  (void)state;
  unsigned seed = 20240607;
  print_message("seed %u\n", seed);
  srand(seed);
  size_t matched = 0;
  for (int round = 0; round < 200000; round++) {
    char pattern[9] = "", text[13] = "";
    for (int i = rand() % 8; i > 0; i--)
      strncat(pattern, &"aab**^$"[rand() % 7], 1);
    for (int i = rand() % 12; i > 0; i--)
      strncat(text, &"aaab"[rand() % 4], 1);
    bool expected = slow_matches(pattern, text);
    matched += expected;
    if (pattern_matches(pattern, text) != expected)
      fail_msg("pattern '%s', text '%s': expected %d", pattern, text, expected);
  }
  assert_true(matched > 20000 && matched < 180000);
}

static void test_patterns(void **state) {
  (void)state;
  assert_true(pattern_matches("transfer", "bank::transfer(int)"));
  assert_true(pattern_matches("^bank::*int)$", "bank::transfer(int)"));
  assert_false(pattern_matches("^transfer", "bank::transfer(int)"));
  assert_false(pattern_matches("transfer$", "bank::transfer(int)"));
  assert_true(pattern_matches("", "x"));
}

static const struct finding_frame frame_a = {.function = "transfer", .file = "/src/bank.c", .module = "/bin/bank"};
static const struct finding_frame frame_b = {.function = "audit", .file = "/src/audit.c", .module = "/lib/libaudit.so"};
static const struct finding_step step_a = {.stack = {.frames = &frame_a, .count = 1}};
static const struct finding_step step_b = {.stack = {.frames = &frame_b, .count = 1}};
static const struct finding_object named = {.name = "ledger"};

static const struct finding findings[] = {
    {.rule = RULE_DEADLOCK, .level = LEVEL_ERROR, .id = "00000000000000aa", .steps = &step_a, .step_count = 1},
    {.rule = RULE_LOCK_ORDER_CYCLE,
     .level = LEVEL_WARNING,
     .id = "00000000000000bb",
     .steps = &step_b,
     .step_count = 1,
     .objects = &named,
     .object_count = 1},
};
static const struct picture_node nodes[] = {{.emphasis = EMPHASIS_CYCLE, .cycle = 1},
                                            {.emphasis = EMPHASIS_CYCLE, .cycle = 2},
                                            {.emphasis = EMPHASIS_GATE, .cycle = 0}};
static const struct report report = {
    .findings = findings, .finding_count = 2, .lock_order = {.nodes = nodes, .node_count = 3}};

/* Which of the two findings are left: 1, 2, 3 (both) or 0. */
static int left_after(const char *lines) {
  char *text = strdup(lines);
  struct filter filter = {0};
  struct filtered filtered;
  int left = 0;
  assert_int_equal(filter_add_suppressions(&filter, "test", text), EXIT_OK);
  assert_true(filter_apply(&filter, &report, &filtered));
  for (size_t i = 0; i < filtered.report.finding_count; i++)
    left |= filtered.report.findings[i].rule == RULE_DEADLOCK ? 1 : 2;
  assert_int_equal(filtered.suppressed + filtered.report.finding_count, 2);
  filtered_destroy(&filtered);
  filter_destroy(&filter);
  free(text);
  return left;
}

static void test_suppressions(void **state) {
  (void)state;
  assert_int_equal(left_after(""), 3);
  assert_int_equal(left_after("# all\n\n  # of it\n"), 3);
  assert_int_equal(left_after("deadlock:transfer"), 2);
  assert_int_equal(left_after("deadlock:bank.c\r\n"), 2);
  assert_int_equal(left_after("deadlock:libaudit.so$"), 1);
  assert_int_equal(left_after("lock-order-cycle:transfer"), 3);
  assert_int_equal(left_after("lock-order-cycle:^ledger$"), 1);
  assert_int_equal(left_after("*:src"), 0);
  assert_int_equal(left_after("id:00000000000000aa"), 2);
  assert_int_equal(left_after("race:transfer\nmutex:transfer\ncalled_from_lib:x\n"), 3);
}

static enum exit_status status_of(const char *lines) {
  char *text = strdup(lines);
  struct filter filter = {0};
  enum exit_status status = filter_add_suppressions(&filter, "test", text);
  filter_destroy(&filter);
  free(text);
  return status;
}

static void test_bad_suppressions(void **state) {
  (void)state;
  assert_int_equal(status_of("deadlok:transfer"), EXIT_USAGE);
  assert_int_equal(status_of("transfer"), EXIT_USAGE);
  assert_int_equal(status_of("deadlock:"), EXIT_USAGE);
  assert_int_equal(status_of(":x"), EXIT_USAGE);
}

static void test_pictures_follow(void **state) {
  (void)state;
  char text[] = "id:00000000000000aa";
  struct filter filter = {0};
  struct filtered filtered;
  assert_int_equal(filter_add_suppressions(&filter, "test", text), EXIT_OK);
  assert_true(filter_apply(&filter, &report, &filtered));
  const struct picture_node *left = filtered.report.lock_order.nodes;
  assert_int_equal(left[0].cycle, 0);
  assert_int_equal(left[0].emphasis, EMPHASIS_NONE);
  assert_int_equal(left[1].cycle, 1);
  assert_int_equal(left[1].emphasis, EMPHASIS_CYCLE);
  assert_int_equal(left[2].emphasis, EMPHASIS_GATE);
  filtered_destroy(&filtered);
  filter_destroy(&filter);
}

static size_t known_in(const char *json, enum exit_status expected) {
  struct filter filter = {0};
  assert_int_equal(filter_add_baseline(&filter, "test", json), expected);
  size_t known = filter.known_count;
  filter_destroy(&filter);
  return known;
}

static void test_baselines(void **state) {
  (void)state;
  assert_int_equal(known_in("{\"snarl\":1,\"findings\":[]}", EXIT_OK), 0);
  assert_int_equal(
      known_in("{\"snarl\":1, \"stats\": {\"records\": 1.5e3}, \"findings\" : [ {\"id\":\"00000000000000aa\","
               "\"steps\":[{\"id\":\"1111111111111111\",\"x\":[{}, [] ,true,null,\"a\\\"]\"]}]},\n"
               "{\"rule\":\"x\",\"id\":\"00000000000000bb\"}],\"impossible\":[{\"id\":\"2222222222222222\"}]}\n",
               EXIT_OK),
      2);
  assert_int_equal(known_in("{\"findings\":[]} {\"findings\":[{\"id\":\"00000000000000cc\"}]}", EXIT_OK), 1);
}

/* Every beginning of a report is refused and ends in an answer. */
static void test_damaged_baselines(void **state) {
  (void)state;
  const char *whole = "{\"a\":[1,{\"b\":\"c\"}],\"findings\":[{\"id\":\"00000000000000aa\",\"d\":{\"e\":[]}}]}";
  for (size_t length = 0; length < strlen(whole); length++) {
    char *cut = strndup(whole, length);
    known_in(cut, EXIT_USAGE);
    free(cut);
  }
  known_in("[]", EXIT_USAGE);
  known_in("{}}", EXIT_USAGE);
  known_in("hello", EXIT_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_patterns_against_the_obvious),
      cmocka_unit_test(test_patterns),
      cmocka_unit_test(test_suppressions),
      cmocka_unit_test(test_bad_suppressions),
      cmocka_unit_test(test_pictures_follow),
      cmocka_unit_test(test_baselines),
      cmocka_unit_test(test_damaged_baselines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
