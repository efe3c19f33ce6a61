/* SPDX-License-Identifier: MIT
 *
 * Strings of strangers' programs: shown, elided, made valid. One thread.
 */
#include "plain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_copy(const char *text, size_t columns, const char *expected) {
  char *copy = plain_copy(text, columns);
  assert_non_null(copy);
  assert_string_equal(copy, expected);
  free(copy);
}

static void expect_utf8(const char *text, const char *expected) {
  char *copy = plain_utf8(text);
  assert_non_null(copy);
  assert_string_equal(copy, expected);
  free(copy);
}

static void controls_are_shown(void **state) {
  (void)state;
  expect_copy("", 0, "");
  expect_copy("mutex A", 0, "mutex A");
  expect_copy("a\nb\tc\rd", 0, "a\\nb\\tc\\rd");
  expect_copy("\x1b[2J\x7f", 0, "\\x1b[2J\\x7f");
  expect_copy("\xc2\x9b", 0, "\\x9b");            /* a C1 control: CSI to some terminals */
  expect_copy("\xe2\x80\xae", 0, "\\u202e");      /* right-to-left override */
  expect_copy("\xe2\x81\xa6", 0, "\\u2066");      /* isolate */
  expect_copy("\xf3\xa0\x81\x81", 0, "\\ue0041"); /* tag characters are not seen at all */
  expect_copy("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x8d", 0, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x8d");
}

static void invalid_bytes_are_shown(void **state) {
  (void)state;
  expect_copy("\xff\x80", 0, "\\xff\\x80");
  expect_copy("\xc0\xaf", 0, "\\xc0\\xaf");                   /* overlong slash */
  expect_copy("\xe0\x80\xaf", 0, "\\xe0\\x80\\xaf");          /* overlong too */
  expect_copy("\xed\xa0\x80", 0, "\\xed\\xa0\\x80");          /* a surrogate */
  expect_copy("\xf4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
  expect_copy("\xef\xbf\xbf", 0, "\\xef\\xbf\\xbf");          /* no character: XML forbids it */
  expect_copy("\xe2\x82", 0, "\\xe2\\x82");                   /* cut off */
  expect_copy("\xe2x", 0, "\\xe2x");
}

static void long_texts_are_elided_in_the_middle(void **state) {
  (void)state;
  expect_copy("abcdefghij", 10, "abcdefghij");
  expect_copy("abcdefghijk", 10, "abcd\xe2\x80\xa6ghijk");
  expect_copy("abcdefghijk", 1, "\xe2\x80\xa6");
  expect_copy("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
              "abc",
              4,
              "\xc3\xa4\xe2\x80\xa6"
              "bc");
  expect_copy("ab\ncdefgh", 5, "ab\xe2\x80\xa6gh"); /* an escape is not cut in two */
}

static void elided_texts_never_exceed_their_columns(void **state) {
  (void)state;
  const char *text = "x\n\xff"
                     "abc\x1b def \xe2\x80\xae ghi\xc3\xa4 the end \xf0\x9f\x90\x8d\t.";
  for (size_t columns = 1; columns < 80; columns++) {
    char *copy = plain_copy(text, columns);
    assert_true(plain_columns(copy) <= columns);
    free(copy);
  }
}

static void utf8_is_made_valid(void **state) {
  (void)state;
  expect_utf8("", "");
  expect_utf8("a\nb", "a\nb");
  expect_utf8("a\xff\xc0\xaf"
              "b",
              "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
              "b");
  expect_utf8("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}

static void base_is_after_the_last_slash(void **state) {
  (void)state;
  assert_string_equal(plain_base("/a/b.c"), "b.c");
  assert_string_equal(plain_base("b.c"), "b.c");
  assert_string_equal(plain_base(""), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(controls_are_shown),
      cmocka_unit_test(invalid_bytes_are_shown),
      cmocka_unit_test(long_texts_are_elided_in_the_middle),
      cmocka_unit_test(elided_texts_never_exceed_their_columns),
      cmocka_unit_test(utf8_is_made_valid),
      cmocka_unit_test(base_is_after_the_last_slash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
