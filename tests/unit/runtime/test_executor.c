/* SPDX-License-Identifier: MIT
 *
 * Executors and futures: results, failures, cancelling, callbacks, waiting for several, shutting down, forks, tasks
 * that end their thread.
 */
#include "test_runtime.h"
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *same(void *argument) { return argument; }
static void *give_up(void *argument) { return snarl_fail(as_status(argument), "number %d", as_status(argument)); }
static void *leave(void *argument) {
  pthread_exit(argument);
  return argument;
}

/* A task that runs until it is let go. */
struct gate {
  _Atomic bool is_begun, is_open;
};
static void *wait_at(void *argument) {
  struct gate *gate = argument;
  gate->is_begun = true;
  while (!gate->is_open)
    sched_yield();
  return argument;
}
static void await_begun(struct gate *gate) {
  while (!gate->is_begun)
    sched_yield();
}

static const struct snarl_executor_options one = {.workers = 1}, two = {.workers = 2};

static void test_results(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_future *futures[100];
  assert_int_equal(snarl_executor_init(&pool, "pool", NULL), SNARL_OK);
  for (int i = 0; i < 100; i++)
    assert_int_equal(snarl_executor_submit(&pool, same, as_pointer(i), &futures[i]), SNARL_OK);
  for (int i = 0; i < 100; i++) {
    void *value = NULL;
    assert_int_equal(snarl_future_result(futures[i], SNARL_FOREVER, &value), SNARL_OK);
    assert_int_equal(as_status(value), i);
    assert_int_equal(snarl_future_result(futures[i], SNARL_NOW, NULL), SNARL_OK); /* as often as one likes */
    assert_true(snarl_future_done(futures[i]));
    assert_null(snarl_future_error(futures[i]));
    snarl_future_drop(futures[i]);
  }
  assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_OK); /* nobody wants to know */
}

static void test_failures(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_auto_future future = NULL;
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, give_up, as_pointer(42), &future), SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_FAILED);
  const struct snarl_error *error = snarl_future_error(future);
  assert_int_equal(error->code, 42);
  assert_string_equal(error->message, "number 42");
  assert_non_null(strstr(error->file, "test_executor.c"));
  assert_string_equal(error->function, "give_up");
  assert_null(snarl_fail(1, "outside of a task"));
}

static void test_cancelling(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_auto_future running = NULL;
  snarl_auto_future waiting = NULL;
  struct gate gate = {false, false};
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, wait_at, &gate, &running), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, same, NULL, &waiting), SNARL_OK);
  await_begun(&gate);
  assert_true(snarl_future_running(running));
  assert_int_equal(snarl_future_result(running, SNARL_MS(1), NULL), SNARL_TIMEOUT);
  assert_int_equal(snarl_future_cancel(running), SNARL_STARTED);
  assert_int_equal(snarl_future_cancel(waiting), SNARL_OK);
  assert_int_equal(snarl_future_cancel(waiting), SNARL_CANCELLED);
  assert_true(snarl_future_cancelled(waiting));
  assert_int_equal(snarl_future_result(waiting, SNARL_FOREVER, NULL), SNARL_CANCELLED);
  gate.is_open = true;
  assert_int_equal(snarl_future_result(running, SNARL_FOREVER, NULL), SNARL_OK);
}

struct calls {
  int order[4], count, submitted;
  snarl_executor *pool;
};
static struct calls calls;
static void remember(snarl_future *future, void *context) {
  calls.order[calls.count++] = snarl_future_done(future) ? as_status(context) : -1;
  (void)snarl_fail(1, "a callback has no task to fail");
  if (calls.pool) /* it may use its executor, which may be closed by now */
    calls.submitted = snarl_executor_submit(calls.pool, same, NULL, NULL);
}

static void test_callbacks(void **state) {
  (void)state;
  snarl_executor pool;
  snarl_auto_future future = NULL;
  struct gate gate = {false, false};
  calls = (struct calls){.pool = &pool};
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, wait_at, &gate, &future), SNARL_OK);
  for (int i = 1; i <= 3; i++)
    assert_int_equal(snarl_future_add_done_callback(future, remember, as_pointer(i)), SNARL_OK);
  assert_int_equal(calls.count, 0);
  gate.is_open = true;
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_OK);
  assert_int_equal(snarl_executor_shutdown(&pool, true, false), SNARL_OK); /* the callbacks are over now */
  calls.pool = NULL;
  assert_int_equal(snarl_future_add_done_callback(future, remember, as_pointer(4)), SNARL_OK);
  assert_int_equal(calls.count, 4);
  assert_true(calls.submitted == SNARL_OK || calls.submitted == SNARL_CLOSED);
  for (int i = 0; i < 4; i++)
    assert_int_equal(calls.order[i], i + 1);
  assert_int_equal(snarl_executor_destroy(&pool), SNARL_OK);
}

static void test_waiting_for_several(void **state) {
  (void)state;
  snarl_auto_executor pool;
  struct gate gates[3] = {{false, false}};
  snarl_future *futures[3], *first = NULL;
  assert_int_equal(snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 3}), SNARL_OK);
  for (int i = 0; i < 3; i++)
    assert_int_equal(
        snarl_executor_submit(&pool, i == 2 ? give_up : wait_at, i == 2 ? as_pointer(7) : &gates[i], &futures[i]),
        SNARL_OK);
  assert_true(snarl_wait(futures, 3, SNARL_FIRST_EXCEPTION, SNARL_FOREVER) >= 1);
  assert_int_equal(snarl_wait(futures, 3, SNARL_ALL_COMPLETED, SNARL_MS(1)), SNARL_TIMEOUT);
  assert_int_equal(snarl_wait(futures, 2, SNARL_FIRST_COMPLETED, SNARL_NOW), SNARL_TIMEOUT);
  snarl_auto_completed completed = NULL;
  assert_int_equal(snarl_as_completed(&completed, futures, 3), SNARL_OK);
  int order[] = {2, 1, 0};
  for (int i = 0; i < 3; i++) {
    if (i)
      gates[order[i]].is_open = true;
    assert_int_equal(snarl_completed_next(completed, SNARL_FOREVER, &first), SNARL_OK);
    assert_ptr_equal(first, futures[order[i]]);
  }
  assert_int_equal(snarl_completed_next(completed, SNARL_FOREVER, &first), SNARL_CLOSED);
  assert_int_equal(snarl_wait(futures, 3, SNARL_ALL_COMPLETED, SNARL_NOW), 3);
  assert_int_equal(snarl_wait(NULL, 0, SNARL_ALL_COMPLETED, SNARL_FOREVER), 0);
  for (int i = 0; i < 3; i++)
    snarl_future_drop(futures[i]);
}

static void test_map(void **state) {
  (void)state;
  snarl_auto_executor pool;
  void *arguments[50], *results[50];
  assert_int_equal(snarl_executor_init(&pool, "pool", &two), SNARL_OK);
  for (int i = 0; i < 50; i++)
    arguments[i] = as_pointer(i + 1);
  assert_int_equal(snarl_executor_map(&pool, same, arguments, 50, results, SNARL_FOREVER), SNARL_OK);
  for (int i = 0; i < 50; i++)
    assert_ptr_equal(results[i], arguments[i]);
  assert_int_equal(snarl_executor_map(&pool, give_up, arguments, 2, results, SNARL_FOREVER), SNARL_FAILED);
  assert_null(results[0]);
  struct gate gate = {false, false};
  void *gated[3] = {&gate, &gate, &gate};
  assert_int_equal(snarl_executor_map(&pool, wait_at, gated, 3, results, SNARL_MS(5)), SNARL_TIMEOUT);
  gate.is_open = true;
  assert_int_equal(snarl_executor_map(&pool, same, arguments, 0, results, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_executor_map(&pool, same, NULL, 1, results, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_executor_shutdown(&pool, true, false), SNARL_OK); /* the gate is on this stack */
}

static void test_shutdown(void **state) {
  (void)state;
  snarl_executor pool;
  snarl_future *futures[3];
  struct gate gate = {false, false};
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  for (int i = 0; i < 3; i++)
    assert_int_equal(snarl_executor_submit(&pool, i ? same : wait_at, &gate, &futures[i]), SNARL_OK);
  await_begun(&gate);
  assert_int_equal(snarl_executor_shutdown(&pool, false, true), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_CLOSED);
  for (int i = 1; i < 3; i++)
    assert_true(snarl_future_cancelled(futures[i]));
  gate.is_open = true;
  assert_int_equal(snarl_executor_shutdown(&pool, true, false), SNARL_OK);
  assert_int_equal(snarl_future_result(futures[0], SNARL_NOW, NULL), SNARL_OK);
  assert_int_equal(snarl_executor_destroy(&pool), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_DESTROYED);
  for (int i = 0; i < 3; i++)
    snarl_future_drop(futures[i]);
}

static snarl_executor *own;
static void *shut_down_own(void *unused) {
  (void)unused;
  return as_pointer(snarl_executor_shutdown(own, true, false));
}

static void test_odd_tasks(void **state) {
  (void)state;
  snarl_auto_executor pool;
  own = &pool;
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  for (int i = 0; i < 5; i++) { /* each ends the only thread */
    snarl_auto_future left = NULL;
    assert_int_equal(snarl_executor_submit(&pool, leave, NULL, &left), SNARL_OK);
    assert_int_equal(snarl_future_result(left, SNARL_FOREVER, NULL), SNARL_FAILED);
    assert_string_equal(snarl_future_error(left)->message, "the task ended its thread");
  }
  snarl_auto_future future = NULL;
  void *status = NULL;
  assert_int_equal(snarl_executor_submit(&pool, shut_down_own, NULL, &future), SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, &status), SNARL_OK);
  assert_int_equal(as_status(status), SNARL_DEADLOCK);
}

static void *fork_and_ask(void *pool) {
  pid_t child = fork();
  if (!child) {
    int submitted = snarl_executor_submit((snarl_executor *)pool, same, NULL, NULL);
    int shut_down = snarl_executor_shutdown((snarl_executor *)pool, true, false);
    _exit(submitted == SNARL_FORKED && shut_down == SNARL_FORKED ? 7 : 8);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return as_pointer(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void test_fork(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_auto_future future = NULL;
  void *status = NULL;
  assert_int_equal(snarl_executor_init(&pool, "pool", &two), SNARL_OK);
  assert_int_equal(as_status(fork_and_ask(&pool)), 7);
  assert_int_equal(snarl_executor_submit(&pool, fork_and_ask, &pool, &future), SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, &status), SNARL_OK);
  assert_int_equal(as_status(status), 7);
}

static _Atomic int initialized;
static void initialize(void *context) {
  (void)context;
  initialized++;
}

static void test_options(void **state) {
  (void)state;
  snarl_auto_executor pool;
  struct snarl_executor_options options = {.workers = 1, .initializer = initialize, .thread_name_prefix = "fetch"};
  assert_int_equal(snarl_executor_init(&pool, "pool", &options), SNARL_OK);
  for (int i = 0; i < 10; i++)
    assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_OK);
  assert_int_equal(snarl_executor_shutdown(&pool, true, false), SNARL_OK);
  assert_int_equal(initialized, 1);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  static snarl_executor zero;
  snarl_future *future = NULL;
  assert_int_equal(snarl_executor_init((snarl_executor *)NULL, "none", NULL), SNARL_INVALID);
  assert_int_equal(snarl_executor_init(&zero, "vast", &(struct snarl_executor_options){.workers = UINT32_MAX}),
                   SNARL_INVALID);
  assert_int_equal(snarl_executor_submit(&zero, same, NULL, NULL), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_executor_shutdown(&zero, true, true), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_executor_init(&zero, "pool", &one), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&zero, NULL, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_executor_destroy(&zero), SNARL_OK);
  assert_int_equal(snarl_future_result(NULL, SNARL_NOW, NULL), SNARL_INVALID);
  assert_int_equal(snarl_future_cancel(NULL), SNARL_INVALID);
  assert_int_equal(snarl_future_add_done_callback(NULL, remember, NULL), SNARL_INVALID);
  assert_int_equal(snarl_wait(&future, 1, SNARL_ALL_COMPLETED, SNARL_NOW), SNARL_INVALID);
  assert_false(snarl_future_done(NULL));
  snarl_future_drop(NULL);
}

static void leave_in_callback(snarl_future *future, void *context) {
  (void)future, (void)context;
  pthread_exit(NULL);
}
static void count_call(snarl_future *future, void *context) {
  (void)future;
  ++*(_Atomic int *)context;
}

/* A callback that ends its thread keeps neither the other callbacks nor the next task from being run. */
static void test_odd_callbacks(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_auto_future future = NULL;
  snarl_auto_future next = NULL;
  struct gate gate = {false, false};
  _Atomic int count = 0;
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, wait_at, &gate, &future), SNARL_OK);
  assert_int_equal(snarl_future_add_done_callback(future, leave_in_callback, NULL), SNARL_OK);
  assert_int_equal(snarl_future_add_done_callback(future, count_call, &count), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, same, &gate, &next), SNARL_OK);
  gate.is_open = true;
  assert_int_equal(snarl_future_result(next, SNARL_FOREVER, NULL), SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_NOW, NULL), SNARL_OK);
  assert_int_equal(count, 1);
}

static void leave_in_initializer(void *unused) {
  (void)unused;
  pthread_exit(NULL);
}

/* An executor that can have no thread does not let anybody wait for it. */
static void test_initializer_ends_thread(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_auto_future future = NULL;
  struct snarl_executor_options options = {.workers = 2, .initializer = leave_in_initializer};
  assert_int_equal(snarl_executor_init(&pool, "pool", &options), SNARL_OK);
  int status = snarl_executor_submit(&pool, same, NULL, &future);
  assert_true(status == SNARL_OK || status == SNARL_CLOSED);
  if (!status)
    assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_CANCELLED);
  assert_int_equal(snarl_executor_shutdown(&pool, true, false), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_CLOSED);
}

static void *shut_down(void *pool) { return as_pointer(snarl_executor_shutdown((snarl_executor *)pool, true, false)); }

static void test_two_shut_down(void **state) {
  (void)state;
  for (int round = 0; round < 50; round++) {
    snarl_auto_executor pool;
    assert_int_equal(snarl_executor_init(&pool, "pool", &two), SNARL_OK);
    for (int i = 0; i < 4; i++)
      assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_OK);
    pthread_t other = begin_thread(shut_down, &pool);
    assert_int_equal(snarl_executor_shutdown(&pool, true, false), SNARL_OK);
    assert_int_equal(as_status(end_thread(other)), SNARL_OK);
  }
}

/* What a failed init leaves is nothing that the end of the block ends. */
static void test_failed_init(void **state) {
  (void)state;
  snarl_executor pool;
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  snarl_executor again = pool; /* as what lay on the stack */
  assert_int_equal(snarl_executor_init(&again, "vast", &(struct snarl_executor_options){.workers = UINT32_MAX}),
                   SNARL_INVALID);
  snarli_executor_left(&again);
  assert_int_equal(snarl_executor_submit(&pool, same, NULL, NULL), SNARL_OK);
  assert_int_equal(snarl_executor_destroy(&pool), SNARL_OK);
}

/* In the child of a fork a task's thread is the only one: it ends with the task, and with it the process. */
static void *fork_and_return(void *unused) {
  pid_t child = fork();
  if (!child)
    return unused;
  int status = -1;
  waitpid(child, &status, 0);
  return as_pointer(status);
}
static void test_task_returns_in_child(void **state) {
  (void)state;
#ifdef __SANITIZE_THREAD__ /* which cannot end a thread in the child of a fork */
  skip();
#endif
  snarl_auto_executor pool;
  snarl_auto_future future = NULL;
  void *status = NULL;
  assert_int_equal(snarl_executor_init(&pool, "pool", &one), SNARL_OK);
  assert_int_equal(snarl_executor_submit(&pool, fork_and_return, NULL, &future), SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, &status), SNARL_OK);
  assert_int_equal(as_status(status), 0);
}

enum { MANY = 100000 };
static void test_many(void **state) {
  (void)state;
  snarl_auto_executor pool;
  snarl_future **futures = calloc(MANY, sizeof *futures), *next;
  snarl_auto_completed completed = NULL;
  assert_non_null(futures);
  assert_int_equal(snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 4}), SNARL_OK);
  for (int i = 0; i < MANY; i++)
    assert_int_equal(snarl_executor_submit(&pool, same, as_pointer(i), &futures[i]), SNARL_OK);
  assert_int_equal(snarl_as_completed(&completed, futures, MANY), SNARL_OK);
  int count = 0;
  while (snarl_completed_next(completed, SNARL_FOREVER, &next) == SNARL_OK)
    count++;
  assert_int_equal(count, MANY);
  for (int i = 0; i < MANY; i++)
    snarl_future_drop(futures[i]);
  free(futures);
}

/* Asked by LeakSanitizer at exit. In the child of a fork the threads are missing that knew of some memory. */
static pid_t parent;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return getpid() != parent; }

int main(void) {
  parent = getpid();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_results),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_cancelling),
      cmocka_unit_test(test_callbacks),
      cmocka_unit_test(test_waiting_for_several),
      cmocka_unit_test(test_map),
      cmocka_unit_test(test_shutdown),
      cmocka_unit_test(test_odd_tasks),
      cmocka_unit_test(test_fork),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_odd_callbacks),
      cmocka_unit_test(test_initializer_ends_thread),
      cmocka_unit_test(test_two_shut_down),
      cmocka_unit_test(test_failed_init),
      cmocka_unit_test(test_task_returns_in_child),
      cmocka_unit_test(test_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
