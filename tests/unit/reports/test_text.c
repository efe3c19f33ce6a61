/* SPDX-License-Identifier: MIT
 *
 * The text report: what must be in it, what must never reach a terminal. One thread.
 */
#include "plain.h"
#include "rendered.h"
#include "sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct render_options plain_options, colour_options = {.use_colour = true},
                                                  verbose_options = {.is_verbose = true};

static char *text_of(const struct report *report, const struct render_options *options) {
  size_t size;
  return rendered("text", report, options, &size);
}

static void expect_in(const char *text, const char *part) {
  if (strstr(text, part) == NULL)
    fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void expect_not_in(const char *text, const char *part) {
  if (strstr(text, part) != NULL)
    fail_msg("\"%s\" is in:\n%s", part, text);
}

static void a_finding_tells_everything(void **state) {
  (void)state;
  char *text = text_of(sample_report("two-locks"), &plain_options);
  static const char *const parts[] = {
      "snarl: 1 error in bank.trace\n",
      "[1/1] error: lock-order-cycle, feasible\n",
      "  worker-1 and worker-2 take savings and mutex transfer.c:12 in opposite orders\n",
      "worker-1  thread 4712 of process 4711, named worker, started in main /src/bank/transfer.c:80\n",
      "mutex transfer.c:12  mutex at 0x5581c0de1080, from main /src/bank/transfer.c:80\n",
      "2. 0.001300 s  worker-1 wants mutex transfer.c:12 while holding savings\n",
      "3. 2.000000 s  worker-2 acquired mutex transfer.c:12\n",
      "#1  account_lock (inlined)  /src/bank/account.h:14\n",
      "... 2 frames of libc or the thread library\n",
      "#0  ??  (libqueue.so.3+0xbeef)\n",
      "... deeper frames were not recorded\n",
      "How it knows\n    Both threads run at the same time",
      "What to do\n    Pick one order",
      "id 1f3a5b7c9d0e2468, seen 17 times\n",
      "3 lock order cycles cannot happen: --show-impossible tells why.\n",
      "Looked at 120345 records of 3 threads in 1 process and 44 objects, 2.250 s of run time (1925520 bytes).\n",
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    expect_in(text, parts[i]);
  expect_not_in(text, "start_thread");
  expect_not_in(text, "\x1b");
  expect_not_in(text, "Not everything");
  free(text);
}

static void silence_says_what_was_looked_at(void **state) {
  (void)state;
  char *text = text_of(sample_report("nothing-found"), &plain_options);
  expect_in(text, "snarl: no findings in quiet.trace\n");
  expect_in(text, "Looked at 5000 records of 3 threads in 1 process and 40 objects");
  free(text);
}

static void losses_are_told(void **state) {
  (void)state;
  char *text = text_of(sample_report("damaged"), &plain_options);
  expect_in(text, "(the trace is not complete, see below)");
  expect_in(text, "Not everything could be looked at:\n  1 record could not be written while the program ran.\n");
  expect_in(text, "  4711.snarl: 3 windows at offset 4096 are not whole: 120 records skipped\n");
  expect_in(text, "  cycles longer than 6 locks were not searched for\n");
  free(text);
}

static void the_impossible_is_told_apart(void **state) {
  (void)state;
  char *text = text_of(sample_report("gate"), &plain_options);
  expect_in(text, "Judged impossible, for your information:\n");
  expect_in(text, "lock-order-cycle, impossible\n");
  expect_in(text, "Why it cannot happen\n    ledger is held on both paths");
  expect_not_in(text, "--show-impossible");
  free(text);
}

static void verbose_folds_nothing(void **state) {
  (void)state;
  char *text = text_of(sample_report("two-locks"), &verbose_options);
  expect_in(text, "#0  pthread_mutex_lock  (libc.so.6+0x8b2f4)\n");
  expect_in(text, "start_thread");
  expect_not_in(text, "of libc or the thread library");
  free(text);
}

static void colours_only_add_escapes(void **state) {
  (void)state;
  char *text = text_of(sample_report("two-locks"), &plain_options);
  char *coloured = text_of(sample_report("two-locks"), &colour_options), *to = coloured;
  assert_non_null(strchr(coloured, '\x1b'));
  for (const char *from = coloured; *from != '\0'; from++) {
    while (*from == '\x1b')
      from = strchr(from, 'm') + 1;
    *to++ = *from;
    if (*from == '\0')
      break;
  }
  *to = '\0';
  assert_string_equal(coloured, text);
  free(text);
  free(coloured);
}

static void prose_is_wrapped(void **state) {
  (void)state;
  char *text = text_of(sample_report("two-locks"), &plain_options);
  for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
    assert_true(plain_columns(line) <= 110);
  free(text);
}

static void nothing_hostile_reaches_the_terminal(void **state) {
  (void)state;
  char *text = text_of(sample_report("hostile"), &verbose_options);
  uint32_t code;
  for (const char *at = text; *at != '\0';) {
    at += plain_decode(at, &code);
    assert_true(code == '\n' || (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code != UINT32_MAX));
    assert_true(code < 0x202a || code > 0x202e);
  }
  expect_in(text, "\\x1b[31mred");
  free(text);
  text = text_of(sample_report("hostile"), &plain_options);
  expect_in(text, "\xe2\x80\xa6");
  free(text);
}

static char *text_of_stack(const struct finding_frame *frames, size_t count, const struct render_options *options) {
  const struct finding_thread thread = {1, 1, "main", "main", {NULL, 0, false}, false};
  const struct finding_step step = {0, -1, "went deep", "", 0, {frames, count, false}};
  const struct finding finding = {.rule = RULE_DEADLOCK,
                                  .reason = "",
                                  .title = "t",
                                  .message = "",
                                  .help = "",
                                  .count = 1,
                                  .threads = &thread,
                                  .thread_count = 1,
                                  .steps = &step,
                                  .step_count = 1};
  const struct report report = {.trace = "deep", .is_complete = true, .findings = &finding, .finding_count = 1};
  return text_of(&report, options);
}

static void deep_stacks_are_cut_and_counted(void **state) {
  (void)state;
  struct finding_frame frames[100];
  for (size_t i = 0; i < 100; i++)
    frames[i] = (struct finding_frame){"recurse", "deep.c", "deep", (uint32_t)i + 1, 0, false, false, false};
  char *text = text_of_stack(frames, 100, &plain_options), *whole = text_of_stack(frames, 100, &verbose_options);
  expect_in(text, "... 77 frames between, --verbose shows them\n");
  expect_in(text, "#18 recurse  deep.c:19\n");
  expect_not_in(text, "deep.c:20\n");
  expect_not_in(text, "deep.c:96\n");
  expect_in(text, "#96 recurse  deep.c:97\n");
  for (size_t i = 1; i <= 100; i++) {
    char line[32];
    snprintf(line, sizeof line, "deep.c:%zu\n", i);
    expect_in(whole, line);
  }
  free(text);
  free(whole);
}

static void interpreters_are_folded(void **state) {
  (void)state;
  struct finding_frame frames[] = {{"eval", "", "/usr/bin/python3", 0, 16, false, true, false},
                                   {"Thread.run", "/usr/lib/python3.11/threading.py", "", 9, 0, false, true, true},
                                   {"work", "/src/jobs.py", "", 4, 0, false, false, true},
                                   {"start", "", "/usr/bin/python3", 0, 32, false, true, false}};
  char *text = text_of_stack(frames, 4, &plain_options);
  expect_in(text, "... 2 frames of the interpreter, its library or libc\n");
  expect_in(text, "#2  work  /src/jobs.py:4\n");
  expect_in(text, "... 1 frame of the interpreter, its library or libc\n");
  free(text);
  frames[2].is_internal = true; /* nothing but its library: that is what there is to see */
  text = text_of_stack(frames, 4, &plain_options);
  expect_in(text, "#1  Thread.run  /usr/lib/python3.11/threading.py:9\n");
  expect_not_in(text, "python3+0x10");
  free(text);
  frames[1].is_interpreted = frames[2].is_interpreted = false; /* nothing but internal frames: all of them */
  text = text_of_stack(frames, 4, &plain_options);
  expect_in(text, "#0  eval  (python3+0x10)\n");
  expect_in(text, "#3  start  (python3+0x20)\n");
  expect_not_in(text, "...");
  free(text);
}

static void a_thread_that_is_waited_for_has_one_line(void **state) {
  (void)state;
  const struct finding_thread threads[] = {{.pid = 1, .tid = 1, .name = "main", .label = "main"},
                                           {.pid = 1, .tid = 2, .name = "worker", .label = "worker"}};
  const struct finding_object object = {.kind = "thread", .name = "", .label = "worker", .address = ""};
  struct finding finding = {.rule = RULE_DEADLOCK, .reason = "", .title = "", .message = "", .help = "", .count = 1};
  finding.threads = threads;
  finding.thread_count = 2;
  finding.objects = &object;
  finding.object_count = 1;
  struct report report = {.trace = "joins", .is_complete = true, .findings = &finding, .finding_count = 1};
  char *text = text_of(&report, &plain_options);
  expect_in(text, "worker  thread 2 of process 1\n");
  expect_not_in(text, "worker  thread\n");
  free(text);
  finding.thread_count = 1;
  text = text_of(&report, &plain_options);
  expect_in(text, "worker  thread\n");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_finding_tells_everything),
      cmocka_unit_test(silence_says_what_was_looked_at),
      cmocka_unit_test(losses_are_told),
      cmocka_unit_test(the_impossible_is_told_apart),
      cmocka_unit_test(verbose_folds_nothing),
      cmocka_unit_test(colours_only_add_escapes),
      cmocka_unit_test(prose_is_wrapped),
      cmocka_unit_test(nothing_hostile_reaches_the_terminal),
      cmocka_unit_test(deep_stacks_are_cut_and_counted),
      cmocka_unit_test(interpreters_are_folded),
      cmocka_unit_test(a_thread_that_is_waited_for_has_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
