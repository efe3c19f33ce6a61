/* SPDX-License-Identifier: MIT
 *
 * What every renderer promises, asked of every row of formats.def: found by name, the same bytes twice, an errno when
 * the stream fails, not a word on standard error. One thread.
 */
#include "rendered.h"
#include "sample.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void formats_are_found_by_name(void **state) {
  (void)state;
  size_t count = 0;
  for (; renderer_at(count) != NULL; count++) {
    const struct renderer *it = renderer_at(count);
    assert_ptr_equal(renderer_find(it->name), it);
    assert_int_equal(it->suffix[0], '.');
    assert_true(strlen(it->help) > 10);
  }
  assert_true(count >= 5);
  assert_null(renderer_find(""));
  assert_null(renderer_find("tex"));
  assert_null(renderer_find("text "));
}

static void every_format_renders_every_sample_the_same_twice(void **state) {
  (void)state;
  for (size_t i = 0; renderer_at(i) != NULL; i++)
    for (size_t k = 0; sample_at(k) != NULL; k++) {
      const struct render_options options = {.picture = sample_at(k)->picture};
      if (sample_at(k)->is_slow)
        continue;
      size_t size, again_size;
      char *bytes = rendered(renderer_at(i)->name, sample_at(k)->report(), &options, &size);
      char *again = rendered(renderer_at(i)->name, sample_at(k)->report(), &options, &again_size);
      assert_true(size > 0);
      assert_int_equal(size, again_size);
      assert_memory_equal(bytes, again, size);
      free(bytes);
      free(again);
    }
}

static void a_full_disk_is_an_errno(void **state) {
  (void)state;
  const struct render_options options = {0};
  for (size_t i = 0; renderer_at(i) != NULL; i++) {
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(renderer_at(i)->render(sample_report("two-locks"), &options, full), ENOSPC);
    fclose(full);
  }
}

static void a_stream_for_reading_is_an_errno(void **state) {
  (void)state;
  const struct render_options options = {0};
  for (size_t i = 0; renderer_at(i) != NULL; i++) {
    FILE *null = fopen("/dev/null", "r");
    assert_non_null(null);
    assert_int_equal(renderer_at(i)->render(sample_report("two-locks"), &options, null), EBADF);
    fclose(null);
  }
}

/* Graphviz complains about much: none of it belongs on the terminal of the traced program. */
static void nothing_is_printed(void **state) {
  (void)state;
  char path[] = "/tmp/snarl-test-XXXXXX";
  int file = mkstemp(path), saved = dup(STDERR_FILENO), printed;
  assert_true(file >= 0 && saved >= 0);
  unlink(path);
  dup2(file, STDERR_FILENO);
  for (size_t i = 0; renderer_at(i) != NULL; i++) {
    const struct render_options options = {0};
    size_t size;
    free(rendered(renderer_at(i)->name, sample_report("hostile"), &options, &size));
    free(rendered(renderer_at(i)->name, sample_report("empty"), &options, &size));
  }
  fflush(stderr);
  printed = (int)lseek(file, 0, SEEK_END);
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(file);
  assert_int_equal(printed, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(formats_are_found_by_name), cmocka_unit_test(every_format_renders_every_sample_the_same_twice),
      cmocka_unit_test(a_full_disk_is_an_errno),   cmocka_unit_test(a_stream_for_reading_is_an_errno),
      cmocka_unit_test(nothing_is_printed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
