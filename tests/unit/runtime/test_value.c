/* SPDX-License-Identifier: MIT
 *
 * SharedMemory, Value and Array: between processes, with and without a name, and what is refused.
 */
#include "test_runtime.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef SNARL_VALUE(int) counter;
typedef SNARL_ARRAY(int64_t, 4) numbers;

typedef SNARL_RAW_VALUE(int) raw_counter;
typedef SNARL_RAW_ARRAY(double, 3) raw_numbers;

static char name[64];
static counter *value;
static numbers *array;

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
static int attach_and_write(void) {
  snarl_shared_memory memory;
  if (snarl_shared_memory_attach(&memory, name) || memory.size != 5000 || ((char *)memory.data)[4999])
    return 1;
  ((char *)memory.data)[4999] = 'x';
  return snarl_shared_memory_close(&memory) != SNARL_OK;
}

static void test_named_memory(void **state) {
  (void)state;
  snarl_shared_memory memory, second;
  errno = 77;
  assert_int_equal(snarl_shared_memory_attach(&memory, name), SNARL_NOT_FOUND);
  assert_int_equal(snarl_shared_memory_create(&memory, name, 5000), SNARL_OK);
  assert_int_equal(snarl_shared_memory_create(&second, name, 1), SNARL_EXISTS);
  assert_int_equal(in_process(attach_and_write), 0);
  assert_int_equal(((char *)memory.data)[4999], 'x');
  assert_int_equal(snarl_shared_memory_attach(&second, name), SNARL_OK);
  assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_OK);
  assert_int_equal(snarl_shared_memory_unlink(&second), SNARL_NOT_FOUND);
  assert_int_equal(((char *)second.data)[4999], 'x');
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_DESTROYED);
  assert_int_equal(snarl_shared_memory_close(&second), SNARL_OK);
  assert_int_equal(errno, 77);
}

static void test_memory_refuses(void **state) {
  (void)state;
  snarl_shared_memory memory;
  char longest[SNARL_SHARED_MEMORY_NAME + 1];
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = 0;
  assert_int_equal(snarl_shared_memory_create(&memory, "a/b", 1), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_create(&memory, "", 1), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_create(&memory, longest, 1), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_create(&memory, name, 0), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_create(NULL, name, 1), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_create(&memory, name, (size_t)1 << 60), SNARL_NO_MEMORY);
  assert_int_equal(snarl_shared_memory_attach(&memory, name), SNARL_NOT_FOUND); /* no name was left behind */
  assert_int_equal(snarl_shared_memory_attach(&memory, NULL), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_create(&memory, NULL, 1), SNARL_OK);
  assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_INVALID);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
}

enum { ROUNDS = 20000 };

static int count(void) {
  for (int i = 0; i < ROUNDS; i++) {
    snarl_value_update(value, += 1);
    snarl_array_update(array, i % 4, += 1);
  }
  return 0;
}

static void test_updates_are_not_lost(void **state) {
  (void)state;
  value = snarl_value_new(counter, "value");
  array = snarl_array_new(numbers, NULL);
  assert_non_null(value);
  assert_non_null(array);
  pid_t child = fork();
  if (child == 0)
    _exit(count());
  (void)count();
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(snarl_value_get(value), 2 * ROUNDS);
  for (size_t i = 0; i < snarl_array_length(array); i++)
    assert_int_equal(snarl_array_get(array, i), 2 * ROUNDS / 4);
  snarl_value_free(value);
  snarl_array_free(array);
}

static int keep_value(void) {
  snarl_with(&value->lock) {
    snarl_value_set(value, 7); /* the lock counts */
    (void)raise(SIGKILL);
  }
  return 0;
}

static int leave_array(void) { return (int)snarl_array_get(array, 4); }

static void test_killed_in_a_value(void **state) {
  (void)state;
  struct {
    counter value;
    numbers array;
  } * both;
  snarl_shared_memory memory;
  assert_int_equal(snarl_shared_memory_create(&memory, NULL, sizeof *both), SNARL_OK);
  both = (__typeof__(both))memory.data;
  value = &both->value, array = &both->array;
  assert_int_equal(snarl_value_init_shared(value, "value"), SNARL_OK);
  assert_int_equal(snarl_array_init_shared(array, "array"), SNARL_OK);
  assert_int_equal(in_process(keep_value), -SIGKILL);
  assert_int_equal(snarl_value_update(value, += 1), 8);
  assert_int_equal(snarl_array_set(array, 3, 9), 9);
  assert_int_equal(snarl_array_get(array, 3), 9);
  assert_int_equal(in_process(leave_array), -SIGABRT);
  assert_int_equal(snarl_array_get(array, 0), 0);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
}

static raw_counter *raw_value;
static raw_numbers *raw_array;

static int change_raw(void) {
  snarl_raw_value_update(raw_value, += 2);
  snarl_raw_array_update(raw_array, 1, *= 3);
  return snarl_raw_value_get(raw_value) != 7;
}

static void test_raw(void **state) {
  (void)state;
  raw_value = snarl_raw_value_new(raw_counter, "raw");
  raw_array = snarl_raw_array_new(raw_numbers);
  assert_int_equal(snarl_raw_value_get(raw_value), 0);
  assert_int_equal(snarl_raw_array_length(raw_array), 3);
  assert_int_equal(snarl_raw_value_set(raw_value, 5), 5);
  assert_true(snarl_raw_array_set(raw_array, 1, 1.5) == 1.5 && snarl_raw_array_get(raw_array, 0) == 0);
  assert_int_equal(in_process(change_raw), 0);
  assert_int_equal(snarl_raw_value_get(raw_value), 7);
  assert_true(snarl_raw_array_get(raw_array, 1) == 4.5);
  snarl_raw_value_free(raw_value);
  snarl_raw_array_free(raw_array);
  snarl_raw_array_free((raw_numbers *)NULL);
  assert_null(snarli_raw_new(SIZE_MAX / 2));
}

int main(void) {
  snprintf(name, sizeof name, "snarl-test-%d", (int)getpid());
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_raw),
      cmocka_unit_test(test_named_memory),
      cmocka_unit_test(test_memory_refuses),
      cmocka_unit_test(test_updates_are_not_lost),
      cmocka_unit_test(test_killed_in_a_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
