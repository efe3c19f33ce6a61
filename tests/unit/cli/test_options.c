/* SPDX-License-Identifier: MIT
 *
 * The command line's parser and its tables. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static void test_options_end_where_the_program_begins(void **state) {
  (void)state;
  struct options options;
  assert_true(options_parse(&options, COMMAND_RUN, WORDS("-fjson=out", "--fail-on", "note", "prog", "-f", "--all")));
  assert_int_equal(options.formats.count, 1);
  assert_string_equal(options.formats.items[0], "json=out");
  assert_int_equal(options.fail_on, FAIL_ON_NOTE);
  assert_false(options.show_all);
  assert_int_equal(options.argument_count, 3);
  assert_string_equal(options.arguments[1], "-f");
  assert_null(options.arguments[3]);
  options_end(&options);
}

static void test_two_dashes(void **state) {
  (void)state;
  struct options options;
  assert_true(options_parse(&options, COMMAND_RUN, WORDS("--all", "--", "-prog")));
  assert_true(options.show_all);
  assert_string_equal(options.arguments[0], "-prog");
  options_end(&options);
  assert_true(options_parse(&options, COMMAND_RUN, WORDS("prog", "--", "x")));
  assert_int_equal(options.argument_count, 3);
  options_end(&options);
}

static void test_options_after_traces(void **state) {
  (void)state;
  struct options options;
  assert_true(
      options_parse(&options, COMMAND_ANALYZE, WORDS("a", "-f", "text", "b", "--cycle-length=9", "-f", "json")));
  assert_int_equal(options.argument_count, 2);
  assert_int_equal(options.formats.count, 2);
  assert_int_equal(options.cycle_length, 9);
  options_end(&options);
}

static void test_presets(void **state) {
  (void)state;
  struct options options;
  assert_true(options_parse(&options, COMMAND_RUN, WORDS("prog")));
  assert_int_equal(options.fail_on, FAIL_ON_ERROR);
  assert_int_equal(options.on_deadlock, ON_DEADLOCK_DEFAULT);
  assert_int_equal(options.kind, -1);
  assert_int_equal(options.cycle_length, 6);
  assert_int_equal(options.colour, COLOUR_AUTO);
  options_end(&options);
}

static void refused(enum command_id command, char **words) {
  struct options options;
  assert_false(options_parse(&options, command, words));
  options_end(&options);
}

static void test_what_is_refused(void **state) {
  (void)state;
  refused(COMMAND_RUN, WORDS("--nonsense", "prog"));
  refused(COMMAND_RUN, WORDS("-x", "prog"));
  refused(COMMAND_RUN, WORDS("--fail-on=loud", "prog"));
  refused(COMMAND_RUN, WORDS("--fail-on=note|warning", "prog"));
  refused(COMMAND_RUN, WORDS("--fail-on="));
  refused(COMMAND_RUN, WORDS("--fail-on"));
  refused(COMMAND_RUN, WORDS("--all=yes", "prog"));
  refused(COMMAND_RUN, WORDS("-o", "", "prog"));
  refused(COMMAND_RUN, WORDS("--"));
  refused(COMMAND_RECORD, WORDS("--on-deadlock=kill", "prog"));
  refused(COMMAND_ANALYZE, WORDS("--cycle-length=1", "t"));
  refused(COMMAND_ANALYZE, WORDS("--cycle-length=-1", "t"));
  refused(COMMAND_ANALYZE, WORDS("--cycle-length=99999999999999999999", "t"));
  refused(COMMAND_GRAPH, WORDS("a", "b"));
  refused(COMMAND_GRAPH, WORDS("--kind=nonsense", "a"));
}

/* Every row: a long name of its own within each command, a letter of its own, help that is a sentence. */
static void test_every_row(void **state) {
  (void)state;
  const struct option *a, *b;
  for (size_t i = 0; (a = option_at(i)) != NULL; i++) {
    assert_true(a->commands != 0 && a->help[0]);
    assert_int_equal(a->argument[0] == '\0', a->type == OPTION_FLAG);
    for (size_t j = 0; j < i && (b = option_at(j)) != NULL; j++) {
      if (!(a->commands & b->commands))
        continue;
      assert_string_not_equal(a->name, b->name);
      assert_true(a->letter == 0 || a->letter != b->letter);
    }
  }
  for (size_t i = 0; exit_at(i).when; i++)
    for (size_t j = 0; j < i; j++)
      assert_int_not_equal(exit_at(i).value, exit_at(j).value);
  for (int i = 0; i < COMMAND_COUNT; i++) {
    assert_int_equal(command_find(commands[i].name), i);
    assert_null(command_later(commands[i].name));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options_end_where_the_program_begins),
      cmocka_unit_test(test_two_dashes),
      cmocka_unit_test(test_options_after_traces),
      cmocka_unit_test(test_presets),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_every_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
