/* SPDX-License-Identifier: MIT
 *
 * ShareableList: its values between processes, what has no room, and memory in which somebody else has written.
 */
#include "test_runtime.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];
static snarl_shareable_list list;

static snarl_any sample(void) {
  snarl_any values = snarl_any_list();
  assert_int_equal(snarl_any_list_append(values, "Ada"), SNARL_OK);
  assert_int_equal(snarl_any_list_append(values, INT64_MIN), SNARL_OK);
  assert_int_equal(snarl_any_list_append(values, 2.5), SNARL_OK);
  assert_int_equal(snarl_any_list_append(values, (bool)true), SNARL_OK);
  assert_int_equal(snarl_any_list_append(values, SNARL_NIL), SNARL_OK);
  assert_int_equal(snarl_any_list_append(values, snarl_any_bytes("\xff\n3456789", 9)), SNARL_OK);
  return values;
}

static int open_list(void **state) {
  (void)state;
  return snarl_shareable_list_create(&list, name, sample());
}

static int close_list(void **state) {
  (void)state;
  (void)snarl_shareable_list_unlink(&list);
  return snarl_shareable_list_close(&list);
}

static int in_process(int (*body)(void)) {
  int status;
  pid_t child = fork();
  if (child == 0)
    _exit(body());
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Has the name only, as a stranger. */
static int change_by_name(void) {
  snarl_shareable_list other;
  if (snarl_shareable_list_attach(&other, name) || snarl_shareable_list_length(&other) != 6)
    return 1;
  snarl_auto_any first = snarl_shareable_list_get(&other, 0);
  if (strcmp(snarl_any_as_string(first), "Ada") != 0 || snarl_shareable_list_set(&other, 0, "Grace"))
    return 2;
  if (snarl_shareable_list_set(&other, 1, -7) || snarl_shareable_list_set(&other, -1, SNARL_NIL))
    return 3;
  return snarl_shareable_list_close(&other) != SNARL_OK;
}

static void assert_values(const char *expected) {
  snarl_auto_any values = snarl_shareable_list_values(&list), text = snarl_any_text(values);
  assert_string_equal(snarl_any_as_string(text), expected);
}

static void test_between_processes(void **state) {
  (void)state;
  assert_values("[\"Ada\", -9223372036854775808, 2.5, true, null, b\"\\xff\\x0a3456789\"]");
  assert_int_equal(in_process(change_by_name), 0);
  assert_values("[\"Grace\", -7, 2.5, true, null, null]");
}

static void test_rooms(void **state) {
  (void)state;
  assert_int_equal(snarl_shareable_list_set(&list, 0, "12345678"), SNARL_OK);
  assert_int_equal(snarl_shareable_list_set(&list, 0, "123456789"), SNARL_TOO_LARGE);
  assert_int_equal(snarl_shareable_list_set(&list, 4, ""), SNARL_OK);
  assert_int_equal(snarl_shareable_list_set(&list, 5, "0123456789abcdef"), SNARL_OK);
  assert_int_equal(snarl_shareable_list_set(&list, 5, "0123456789abcdefg"), SNARL_TOO_LARGE);
  assert_int_equal(snarl_shareable_list_set(&list, 6, 1), SNARL_NOT_FOUND);
  assert_int_equal(snarl_shareable_list_set(&list, -7, "dropped"), SNARL_NOT_FOUND);
  assert_int_equal(snarl_shareable_list_set(&list, 0, snarl_any_list()), SNARL_UNREPRESENTABLE);
  assert_int_equal(snarl_shareable_list_set(&list, 0, snarl_any_error(SNARL_CLOSED)), SNARL_CLOSED);
  assert_int_equal(snarl_shareable_list_set(&list, 1, "text"), SNARL_OK);
  assert_int_equal(snarl_shareable_list_set(&list, 0, 0.1), SNARL_OK);
  assert_values("[0.1, \"text\", 2.5, true, \"\", \"0123456789abcdef\"]");
  assert_int_equal(snarl_any_status(snarl_shareable_list_get(&list, 6)), SNARL_NOT_FOUND);
}

static void test_search(void **state) {
  (void)state;
  assert_int_equal(snarl_shareable_list_set(&list, 4, "Ada"), SNARL_OK);
  assert_int_equal(snarl_shareable_list_count(&list, "Ada"), 2);
  assert_int_equal(snarl_shareable_list_index(&list, "Ada"), 0);
  assert_int_equal(snarl_shareable_list_index(&list, 2.5), 2);
  assert_int_equal(snarl_shareable_list_index(&list, 2), SNARL_NOT_FOUND);
  assert_int_equal(snarl_shareable_list_count(&list, "none"), 0);
}

static void test_what_no_list_is_made_of(void **state) {
  (void)state;
  snarl_shareable_list other;
  snarl_any nested = sample();
  assert_int_equal(snarl_any_list_append(nested, snarl_any_dict()), SNARL_OK);
  assert_int_equal(snarl_shareable_list_create(&other, NULL, nested), SNARL_UNREPRESENTABLE);
  assert_int_equal(snarl_shareable_list_create(&other, NULL, snarl_any_list()), SNARL_INVALID);
  assert_int_equal(snarl_shareable_list_create(&other, NULL, snarl_any_of("text")), SNARL_INVALID);
  assert_int_equal(snarl_shareable_list_create(&other, NULL, snarl_any_error(SNARL_NO_MEMORY)), SNARL_NO_MEMORY);
  assert_int_equal(snarl_shareable_list_create(NULL, NULL, sample()), SNARL_INVALID);
  assert_int_equal(snarl_shareable_list_create(&other, name, sample()), SNARL_EXISTS);
  assert_int_equal(snarl_shareable_list_attach(&other, "snarl-test-none"), SNARL_NOT_FOUND);
  assert_int_equal(snarl_shareable_list_attach(NULL, name), SNARL_INVALID);
  other = (snarl_shareable_list){0};
  assert_int_equal(snarl_shareable_list_length(&other), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_any_status(snarl_shareable_list_get(&other, 0)), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_any_status(snarl_shareable_list_values(&other)), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_shareable_list_count(&other, 1), SNARL_NOT_INITIALIZED);
}

/* Other memory of the name, or one whose list is not there yet. */
static void test_no_list_there(void **state) {
  (void)state;
  snarl_shareable_list other;
  uint64_t *words = list.memory.data, mark = words[0], length = words[1];
  words[0] = 0;
  assert_int_equal(snarl_shareable_list_attach(&other, name), SNARL_NOT_FOUND);
  words[0] = mark + 1;
  assert_int_equal(snarl_shareable_list_attach(&other, name), SNARL_MALFORMED);
  words[0] = mark;
  const uint64_t lengths[] = {0, list.memory.size / 16, UINT32_MAX, UINT64_MAX, (UINT64_MAX >> 4) + 2};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    words[1] = lengths[i];
    assert_int_equal(snarl_shareable_list_attach(&other, name), SNARL_MALFORMED);
  }
  words[1] = length;
  assert_int_equal(snarl_shareable_list_attach(&other, name), SNARL_OK);
  assert_int_equal(snarl_shareable_list_close(&other), SNARL_OK);
  char tiny[80];
  snarl_shared_memory memory;
  (void)snprintf(tiny, sizeof tiny, "%s-tiny", name);
  assert_int_equal(snarl_shared_memory_create(&memory, tiny, 8), SNARL_OK);
  assert_int_equal(snarl_shareable_list_attach(&other, tiny), SNARL_MALFORMED);
  assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_OK);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
}

/* Random words over all of the memory: whatever comes of it stays inside, as the sanitizers see. */
static void test_written_over(void **state) {
  (void)state;
  uint64_t *words = list.memory.data, number = 1;
  size_t count = list.memory.size / sizeof *words, refused = 0;
  uint64_t *before = malloc(list.memory.size);
  assert_non_null(before);
  memcpy(before, words, list.memory.size);
  for (int round = 0; round < 20000; round++) {
    number = number * 6364136223846793005u + 1442695040888963407u;
    size_t place = number >> 33 ^ (number >> 13);
    words[place % count] = round % 3 ? number >> (number % 61) : before[place % count] ^ 1ull << (number >> 58);
    snarl_auto_any value = snarl_shareable_list_get(&list, (int64_t)(place % 6));
    refused += snarl_any_status(value) == SNARL_MALFORMED;
    (void)snarl_shareable_list_set(&list, (int64_t)(place / 7 % 6), "01234567");
    if (round % 5 == 0)
      memcpy(words, before, list.memory.size);
  }
  assert_true(refused > 100);
  free(before);
}

int main(void) {
  (void)snprintf(name, sizeof name, "snarl-test-list-%d", (int)getpid());
#define WITH_LIST(test) cmocka_unit_test_setup_teardown(test, open_list, close_list)
  const struct CMUnitTest tests[] = {
      WITH_LIST(test_between_processes),       WITH_LIST(test_rooms),         WITH_LIST(test_search),
      WITH_LIST(test_what_no_list_is_made_of), WITH_LIST(test_no_list_there), WITH_LIST(test_written_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
