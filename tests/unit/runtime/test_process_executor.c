/* SPDX-License-Identifier: MIT
 *
 * ProcessPoolExecutor: futures of processes by themselves and together with those of threads, map, and shutting down.
 * Workers that die: test_pool_death.c.
 */
#include "test_runtime.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static snarl_semaphore *begun, *go;

static int set_up(void **state) {
  (void)state;
  begun = mmap(NULL, 2 * sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (begun == MAP_FAILED)
    return -1;
  go = begun + 1;
  return snarl_semaphore_init_shared(begun, "begun", 0) || snarl_semaphore_init_shared(go, "go", 0);
}
static int tear_down(void **state) {
  (void)state;
  int status;
  assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
  return 0;
}

static snarl_any square(snarl_any number) { return snarl_any_int(snarl_any_as_int(number) * snarl_any_as_int(number)); }
static snarl_any odd_fails(snarl_any number) {
  if (snarl_any_as_int(number) % 2)
    snarl_fail(1, "odd");
  return number;
}
static snarl_any waiting(snarl_any number) {
  (void)snarl_semaphore_release(begun, 1);
  (void)snarl_semaphore_acquire(go, SNARL_S(20));
  return number;
}

static void begin(snarl_process_executor *executor, unsigned workers) {
  struct snarl_pool_options options = {.workers = workers};
  assert_int_equal(snarl_process_executor_init(executor, "executor", &options), SNARL_OK);
}

static void test_submit(void **state) {
  (void)state;
  snarl_future *futures[3000];
  {
    snarl_auto_process_executor executor;
    begin(&executor, 2);
    for (int i = 0; i < 3000; i++)
      assert_int_equal(snarl_process_executor_submit(&executor, square, snarl_any_int(i), &futures[i]), SNARL_OK);
    assert_int_equal(snarl_process_executor_submit(&executor, square, SNARL_NIL, NULL), SNARL_OK);
  } /* waits for all */
  for (int i = 0; i < 3000; i++) {
    void *value = NULL;
    assert_int_equal(snarl_future_result(futures[i], SNARL_NOW, &value), SNARL_OK);
    assert_int_equal(snarl_any_as_int(*(snarl_any *)value), i * i);
    snarl_future_drop(futures[i]);
  }
}

static void test_map(void **state) {
  (void)state;
  snarl_auto_process_executor executor;
  snarl_any arguments[50], results[50];
  begin(&executor, 2);
  for (int i = 0; i < 50; i++)
    arguments[i] = snarl_any_int(i);
  for (size_t chunk = 0; chunk < 60; chunk += 7) {
    assert_int_equal(snarl_process_executor_map(&executor, square, arguments, 50, chunk, results, SNARL_FOREVER),
                     SNARL_OK);
    for (int i = 0; i < 50; i++)
      assert_int_equal(snarl_any_as_int(results[i]), i * i);
  }
  assert_int_equal(snarl_process_executor_map(&executor, odd_fails, arguments, 50, 4, results, SNARL_FOREVER),
                   SNARL_FAILED);
}

static void *thread_task(void *argument) { return argument; }
static void *thread_waits(void *argument) {
  (void)snarl_semaphore_acquire(go, SNARL_S(20));
  return argument;
}

/* Futures of threads and of processes together. */
static void test_mixed(void **state) {
  (void)state;
  snarl_auto_process_executor processes;
  snarl_auto_executor threads;
  snarl_future *futures[10], *next;
  begin(&processes, 2);
  assert_int_equal(snarl_executor_init(&threads, "threads", NULL), SNARL_OK);
  for (int i = 0; i < 10; i++)
    assert_int_equal(i % 2 ? snarl_executor_submit(&threads, thread_task, NULL, &futures[i])
                           : snarl_process_executor_submit(&processes, square, snarl_any_int(i), &futures[i]),
                     SNARL_OK);
  assert_int_equal(snarl_wait(futures, 10, SNARL_ALL_COMPLETED, SNARL_FOREVER), 10);
  snarl_auto_completed completed = NULL;
  assert_int_equal(snarl_as_completed(&completed, futures, 10), SNARL_OK);
  int count = 0;
  while (snarl_completed_next(completed, SNARL_FOREVER, &next) == SNARL_OK)
    count++;
  assert_int_equal(count, 10);
  for (int i = 0; i < 10; i++)
    snarl_future_drop(futures[i]);
}

static void test_first(void **state) {
  (void)state;
  snarl_auto_process_executor processes;
  snarl_auto_executor threads;
  snarl_future *futures[2];
  begin(&processes, 2);
  assert_int_equal(snarl_executor_init(&threads, "threads", NULL), SNARL_OK);
  assert_int_equal(snarl_process_executor_submit(&processes, waiting, SNARL_NIL, &futures[0]), SNARL_OK);
  assert_int_equal(snarl_semaphore_acquire(begun, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&threads, thread_task, NULL, &futures[1]), SNARL_OK);
  assert_int_equal(snarl_wait(futures, 2, SNARL_FIRST_COMPLETED, SNARL_FOREVER), 1);
  assert_true(snarl_future_done(futures[1]) && snarl_future_running(futures[0]));
  assert_int_equal(snarl_wait(futures, 2, SNARL_ALL_COMPLETED, SNARL_MS(10)), SNARL_TIMEOUT);
  snarl_future_drop(futures[1]);
  (void)snarl_semaphore_release(go, 1);
  assert_int_equal(snarl_future_result(futures[0], SNARL_FOREVER, NULL), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&threads, thread_waits, NULL, &futures[1]), SNARL_OK);
  snarl_auto_future failing = NULL;
  assert_int_equal(snarl_process_executor_submit(&processes, odd_fails, snarl_any_int(1), &failing), SNARL_OK);
  snarl_future *both[2] = {futures[1], failing};
  assert_int_equal(snarl_wait(both, 2, SNARL_FIRST_EXCEPTION, SNARL_FOREVER), 1);
  assert_string_equal(snarl_future_error(failing)->message, "odd");
  (void)snarl_semaphore_release(go, 1);
  snarl_future_drop(futures[0]);
  snarl_future_drop(futures[1]);
}

static void count_call(snarl_future *future, void *context) {
  assert_true(snarl_future_done(future));
  ++*(_Atomic int *)context;
}
static void test_done_callback(void **state) {
  (void)state;
  _Atomic int calls = 0;
  {
    snarl_auto_process_executor executor;
    snarl_auto_future future = NULL;
    snarl_auto_future cancelled = NULL;
    begin(&executor, 1);
    assert_int_equal(snarl_process_executor_submit(&executor, waiting, SNARL_NIL, &future), SNARL_OK);
    assert_int_equal(snarl_semaphore_acquire(begun, SNARL_S(20)), SNARL_OK);
    assert_int_equal(snarl_process_executor_submit(&executor, square, SNARL_NIL, &cancelled), SNARL_OK);
    assert_int_equal(snarl_future_add_done_callback(future, count_call, &calls), SNARL_OK);
    assert_int_equal(snarl_future_add_done_callback(cancelled, count_call, &calls), SNARL_OK);
    assert_int_equal(snarl_future_cancel(cancelled), SNARL_OK);
    assert_int_equal(calls, 1);
    (void)snarl_semaphore_release(go, 1);
  }
  assert_int_equal(calls, 2);
}

static void test_shutdown(void **state) {
  (void)state;
  snarl_process_executor executor;
  snarl_future *futures[100];
  begin(&executor, 1);
  assert_int_equal(snarl_process_executor_submit(&executor, waiting, SNARL_NIL, &futures[0]), SNARL_OK);
  assert_int_equal(snarl_semaphore_acquire(begun, SNARL_S(20)), SNARL_OK);
  for (int i = 1; i < 100; i++)
    assert_int_equal(snarl_process_executor_submit(&executor, square, SNARL_NIL, &futures[i]), SNARL_OK);
  assert_int_equal(snarl_process_executor_shutdown(&executor, false, true), SNARL_OK);
  assert_int_equal(snarl_process_executor_submit(&executor, square, SNARL_NIL, NULL), SNARL_CLOSED);
  (void)snarl_semaphore_release(go, 1);
  assert_int_equal(snarl_process_executor_shutdown(&executor, true, false), SNARL_OK);
  assert_int_equal(snarl_process_executor_shutdown(&executor, true, false), SNARL_OK);
  for (int i = 0; i < 100; i++) {
    assert_int_equal(snarl_future_result(futures[i], SNARL_NOW, NULL), i ? SNARL_CANCELLED : SNARL_OK);
    snarl_future_drop(futures[i]);
  }
  assert_int_equal(snarl_process_executor_destroy(&executor), SNARL_OK);
  assert_int_equal(snarl_process_executor_destroy(&executor), SNARL_DESTROYED);
}

/* Its tasks may have processes, which a pool's may not. */
static int thirty_one(void *unused) { return (void)unused, 31; }
static snarl_any has_child(snarl_any unused) {
  (void)unused;
  snarl_process child = SNARL_PROCESS_INIT("child", thirty_one, NULL);
  if (snarl_process_start(&child) || snarl_process_join(&child, SNARL_FOREVER) != SNARL_FAILED)
    return SNARL_NIL;
  return snarl_any_int(snarl_process_exit_code(&child));
}
static snarl_any has_pool(snarl_any number) {
  snarl_process_executor inner;
  snarl_any result = SNARL_NIL;
  if (snarl_process_executor_init(&inner, "inner", &(struct snarl_pool_options){.workers = 2}))
    return SNARL_NIL;
  (void)snarl_process_executor_map(&inner, square, &number, 1, 1, &result, SNARL_FOREVER);
  (void)snarl_process_executor_destroy(&inner);
  return result;
}
static void test_nested(void **state) {
  (void)state;
  snarl_auto_process_executor executor;
  snarl_any argument = snarl_any_int(9), result;
  begin(&executor, 2);
  assert_int_equal(snarl_process_executor_map(&executor, has_child, &argument, 1, 1, &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 31);
  assert_int_equal(snarl_process_executor_map(&executor, has_pool, &argument, 1, 1, &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 81);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_submit),        cmocka_unit_test(test_map),      cmocka_unit_test(test_mixed),
      cmocka_unit_test(test_first),         cmocka_unit_test(test_shutdown), cmocka_unit_test(test_nested),
      cmocka_unit_test(test_done_callback),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
