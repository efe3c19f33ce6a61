/* SPDX-License-Identifier: MIT
 *
 * Pool: results and their order, chunks, failures, time limits, callbacks, and its end with work queued and running.
 * What tasks and tests tell each other lies in memory that they share.
 */
#include "test_runtime.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena {
  snarl_semaphore begun, go; /* a task that waits says so first */
  uint32_t calls[4096], total;
} * arena;

static int set_up(void **state) {
  (void)state;
  arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (arena == MAP_FAILED || snarl_semaphore_init_shared(&arena->begun, "begun", 0) ||
      snarl_semaphore_init_shared(&arena->go, "go", 0))
    return -1;
  return 0;
}
static int tear_down(void **state) {
  (void)state;
  int status;
  assert_int_equal(waitpid(-1, &status, WNOHANG), -1); /* no process is left */
  return munmap(arena, sizeof *arena);
}

static snarl_any square(snarl_any number) {
  int64_t n = snarl_any_as_int(number);
  __atomic_fetch_add(&arena->calls[(uint64_t)n % 4096], 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&arena->total, 1, __ATOMIC_RELAXED);
  return snarl_any_int(n * n);
}
static snarl_any same(snarl_any value) { return snarl_any_keep(value); }
static snarl_any whose(snarl_any unused) { return (void)unused, snarl_any_int(getpid()); }
static snarl_any even(snarl_any number) {
  if (snarl_any_as_int(number) % 2)
    snarl_fail(33, "%d is odd", (int)snarl_any_as_int(number));
  return number;
}
static snarl_any waiting(snarl_any number) {
  (void)snarl_semaphore_release(&arena->begun, 1);
  (void)snarl_semaphore_acquire(&arena->go, SNARL_S(20));
  return number;
}
static snarl_any sum(snarl_any list) {
  int64_t total = 0;
  snarl_any item;
  snarl_any_each(item, list) total += snarl_any_as_int(item);
  return snarl_any_int(total);
}

static void begin(snarl_pool *pool, unsigned workers) {
  assert_int_equal(snarl_pool_init(pool, "pool", &(struct snarl_pool_options){.workers = workers}), SNARL_OK);
}
static void end(snarl_pool *pool) {
  assert_int_equal(snarl_pool_close(pool), SNARL_OK);
  assert_int_equal(snarl_pool_join(pool, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_pool_destroy(pool), SNARL_OK);
}
static void await_begun(int count) {
  for (int i = 0; i < count; i++)
    assert_int_equal(snarl_semaphore_acquire(&arena->begun, SNARL_S(20)), SNARL_OK);
}

static void test_apply(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 2);
  assert_int_equal(snarl_pool_apply(&pool, square, snarl_any_int(-7), &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 49);
  assert_int_equal(snarl_pool_apply(&pool, whose, SNARL_NIL, &result, SNARL_FOREVER), SNARL_OK);
  assert_int_not_equal(snarl_any_as_int(result), getpid());
  assert_int_equal(snarl_pool_apply(&pool, even, snarl_any_int(3), &result, SNARL_FOREVER), SNARL_FAILED);
  assert_true(snarl_any_is_nil(result));
  assert_int_equal(snarl_pool_apply(&pool, same, snarl_any_error(SNARL_TOO_LARGE), &result, SNARL_FOREVER),
                   SNARL_TOO_LARGE);
  assert_int_equal(snarl_pool_apply(&pool, NULL, SNARL_NIL, &result, SNARL_FOREVER), SNARL_INVALID);
  end(&pool);
}

/* Through the slot, its room at the side, the file. */
static void test_values(void **state) {
  (void)state;
  static char bytes[3000000];
  snarl_pool pool;
  begin(&pool, 2);
  snarl_any person = snarl_any_dict(), list = snarl_any_list();
  assert_int_equal(snarl_any_dict_set(person, "name", "Ada"), SNARL_OK);
  assert_int_equal(snarl_any_list_append(list, 1.5), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(person, "scores", list), SNARL_OK);
  memset(bytes, 'x', sizeof bytes);
  snarl_any values[] = {SNARL_NIL,
                        snarl_any_bool(true),
                        snarl_any_int(INT64_MIN),
                        snarl_any_double(0.1),
                        snarl_any_string(""),
                        snarl_any_string("some text"),
                        person,
                        snarl_any_bytes(bytes, 180),
                        snarl_any_bytes(bytes, 209),
                        snarl_any_bytes(bytes, 16384),
                        snarl_any_bytes(bytes, 16300),
                        snarl_any_bytes(bytes, 100000),
                        snarl_any_bytes(bytes, sizeof bytes)};
  enum { VALUES = sizeof values / sizeof *values };
  snarl_any results[VALUES];
  for (int i = 0; i < VALUES; i++) {
    assert_int_equal(snarl_pool_apply(&pool, same, snarl_any_keep(values[i]), &results[i], SNARL_FOREVER), SNARL_OK);
    assert_true(snarl_any_equal(values[i], results[i]));
    snarl_any_drop(&results[i]);
  }
  for (size_t chunk = 1; chunk <= VALUES + 1; chunk++) {
    assert_int_equal(snarl_pool_map(&pool, same, values, VALUES, chunk, results, SNARL_FOREVER), SNARL_OK);
    for (int i = 0; i < VALUES; i++) {
      assert_true(snarl_any_equal(values[i], results[i]));
      snarl_any_drop(&results[i]);
    }
  }
  for (int i = 0; i < VALUES; i++)
    snarl_any_drop(&values[i]);
  end(&pool);
}

/* What cannot be sent is a failure of that one. */
static snarl_any too_deep(snarl_any depth) {
  snarl_any value = SNARL_NIL;
  for (int64_t i = snarl_any_as_int(depth); i > 0; i--) {
    snarl_any list = snarl_any_list();
    (void)snarl_any_list_append(list, value);
    value = list;
  }
  return value;
}
static void test_unsendable(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any arguments[] = {snarl_any_int(3), snarl_any_int(SNARL_ANY_DEPTH + 1), snarl_any_int(5)}, results[3];
  begin(&pool, 1);
  assert_int_equal(snarl_pool_map(&pool, too_deep, arguments, 3, 3, results, SNARL_FOREVER), SNARL_FAILED);
  assert_true(snarl_any_is_list(results[0]) && snarl_any_is_nil(results[1]) && snarl_any_is_list(results[2]));
  snarl_any_drop(&results[0]);
  snarl_any_drop(&results[2]);
  snarl_auto_future future = NULL;
  assert_int_equal(snarl_pool_apply_async(&pool, too_deep, snarl_any_int(SNARL_ANY_DEPTH + 1), NULL, &future),
                   SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_FAILED);
  assert_int_equal(snarl_future_error(future)->code, SNARL_TOO_DEEP);
  snarl_any deep = too_deep(snarl_any_int(SNARL_ANY_DEPTH + 1)), result;
  assert_int_equal(snarl_pool_apply(&pool, same, deep, &result, SNARL_FOREVER), SNARL_TOO_DEEP);
  end(&pool);
}

static void check_map(snarl_pool *pool, size_t count, size_t chunk) {
  snarl_any *arguments = calloc(count + 1, sizeof *arguments), *results = calloc(count + 1, sizeof *results);
  memset(arena->calls, 0, sizeof arena->calls);
  for (size_t i = 0; i < count; i++)
    arguments[i] = snarl_any_int((int64_t)i);
  assert_int_equal(snarl_pool_map(pool, square, arguments, count, chunk, results, SNARL_FOREVER), SNARL_OK);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(snarl_any_as_int(results[i]), i * i);
    assert_int_equal(arena->calls[i], 1);
  }
  free(arguments);
  free(results);
}
static void test_chunks(void **state) {
  (void)state;
  snarl_pool pool;
  begin(&pool, 3);
  for (size_t count = 0; count < 30; count++)
    for (size_t chunk = 0; chunk < 12; chunk++)
      check_map(&pool, count, chunk);
  check_map(&pool, 4096, 1); /* more than there are slots */
  check_map(&pool, 4096, 5000);
  end(&pool);
}

static void test_starmap(void **state) {
  (void)state;
  snarl_pool pool;
  begin(&pool, 2);
  snarl_any arguments[5], results[5];
  for (int i = 0; i < 5; i++) {
    arguments[i] = snarl_any_list();
    for (int j = 0; j <= i; j++)
      assert_int_equal(snarl_any_list_append(arguments[i], j), SNARL_OK);
  }
  assert_int_equal(snarl_pool_starmap(&pool, sum, arguments, 5, 2, results, SNARL_FOREVER), SNARL_OK);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(snarl_any_as_int(results[i]), i * (i + 1) / 2);
    snarl_any_drop(&arguments[i]);
  }
  assert_int_equal(snarl_pool_starmap(&pool, sum, results, 5, 2, results, SNARL_FOREVER), SNARL_INVALID);
  end(&pool);
}

static void test_failures(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any arguments[10], results[10];
  begin(&pool, 2);
  for (int i = 0; i < 10; i++)
    arguments[i] = snarl_any_int(i * 3 + 2);
  for (size_t chunk = 0; chunk < 12; chunk++) {
    assert_int_equal(snarl_pool_map(&pool, even, arguments, 10, chunk, results, SNARL_FOREVER), SNARL_FAILED);
    for (int i = 0; i < 10; i++)
      assert_true(i % 2 ? snarl_any_is_nil(results[i]) : snarl_any_as_int(results[i]) == i * 3 + 2);
    snarl_auto_future future = NULL;
    assert_int_equal(snarl_pool_map_async(&pool, even, arguments, 10, chunk, NULL, &future), SNARL_OK);
    assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_FAILED);
    const struct snarl_error *error = snarl_future_error(future);
    assert_int_equal(error->code, 33);
    assert_string_equal(error->message, "5 is odd"); /* the first by the arguments */
    assert_string_equal(error->function, "even");
    assert_non_null(strstr(error->file, "test_pool.c"));
    assert_true(error->line > 0);
  }
  end(&pool);
}

static void test_map_async(void **state) {
  (void)state;
  snarl_pool pool;
  begin(&pool, 2);
  snarl_any arguments[7], list = snarl_any_list();
  for (int i = 0; i < 7; i++)
    arguments[i] = i == 3 ? list : snarl_any_int(i);
  snarl_auto_future future = NULL;
  snarl_auto_future empty = NULL;
  assert_int_equal(snarl_pool_map_async(&pool, same, arguments, 7, 2, NULL, &future), SNARL_OK);
  assert_int_equal(snarl_any_list_append(list, 1), SNARL_OK); /* it has a copy */
  assert_int_equal(snarl_future_cancel(future), SNARL_STARTED);
  void *value = NULL;
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, &value), SNARL_OK);
  assert_int_equal(snarl_any_length(*(snarl_any *)value), 7);
  for (int i = 0; i < 7; i++) {
    snarl_any item = snarl_any_list_get(*(snarl_any *)value, i);
    assert_true(i == 3 ? snarl_any_is_list(item) && !snarl_any_length(item) : snarl_any_as_int(item) == i);
  }
  assert_int_equal(snarl_pool_map_async(&pool, same, NULL, 0, 0, NULL, &empty), SNARL_OK);
  assert_int_equal(snarl_future_result(empty, SNARL_NOW, &value), SNARL_OK);
  assert_true(snarl_any_is_list(*(snarl_any *)value) && !snarl_any_length(*(snarl_any *)value));
  snarl_any_drop(&list);
  end(&pool);
}

static void check_imap(snarl_pool *pool, size_t count, size_t chunk, bool is_unordered) {
  snarl_any arguments[40], result;
  bool is_there[40] = {false};
  for (size_t i = 0; i < count; i++)
    arguments[i] = snarl_any_int((int64_t)i);
  snarl_auto_pool_results results = NULL;
  assert_int_equal(is_unordered ? snarl_pool_imap_unordered(pool, even, arguments, count, chunk, &results)
                                : snarl_pool_imap(pool, even, arguments, count, chunk, &results),
                   SNARL_OK);
  for (size_t i = 0; i < count; i++) {
    int status = snarl_pool_results_next(results, SNARL_FOREVER, &result);
    int64_t number =
        status == SNARL_OK ? snarl_any_as_int(result) : strtol(snarl_pool_results_error(results)->message, NULL, 10);
    assert_int_equal(status, number % 2 ? SNARL_FAILED : SNARL_OK);
    assert_true(number >= 0 && number < (int64_t)count && !is_there[number]);
    assert_true(is_unordered || number == (int64_t)i);
    is_there[number] = true;
  }
  assert_int_equal(snarl_pool_results_next(results, SNARL_FOREVER, &result), SNARL_CLOSED);
  assert_null(snarl_pool_results_error(results));
}
static void test_imap(void **state) {
  (void)state;
  snarl_pool pool;
  begin(&pool, 2);
  for (size_t count = 0; count < 40; count += 13)
    for (size_t chunk = 0; chunk < 50; chunk += chunk < 4 ? 1 : 11) {
      check_imap(&pool, count, chunk, false);
      check_imap(&pool, count, chunk, true);
    }
  end(&pool);
}

/* The first is not ready before the second. */
static snarl_any first_waits(snarl_any number) { return snarl_any_as_int(number) ? number : waiting(number); }
static void test_imap_waits(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any arguments[2] = {snarl_any_int(0), snarl_any_int(1)}, result;
  begin(&pool, 2);
  snarl_auto_pool_results ordered = NULL;
  snarl_auto_pool_results unordered = NULL;
  snarl_auto_pool_results left = NULL;
  assert_int_equal(snarl_pool_imap(&pool, first_waits, arguments, 2, 1, &ordered), SNARL_OK);
  snarl_time start = snarl_clock();
  assert_int_equal(snarl_pool_results_next(ordered, SNARL_MS(20), &result), SNARL_TIMEOUT);
  assert_lasted(start, SNARL_MS(20));
  assert_int_equal(snarl_pool_results_next(ordered, SNARL_NOW, &result), SNARL_TIMEOUT);
  (void)snarl_semaphore_release(&arena->go, 1);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(snarl_pool_results_next(ordered, SNARL_FOREVER, &result), SNARL_OK);
    assert_int_equal(snarl_any_as_int(result), i);
  }
  assert_int_equal(snarl_pool_imap_unordered(&pool, first_waits, arguments, 2, 1, &unordered), SNARL_OK);
  assert_int_equal(snarl_pool_results_next(unordered, SNARL_FOREVER, &result), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 1);
  (void)snarl_semaphore_release(&arena->go, 1);
  assert_int_equal(snarl_pool_results_next(unordered, SNARL_FOREVER, &result), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 0);
  assert_int_equal(snarl_pool_imap(&pool, same, arguments, 2, 1, &left), SNARL_OK); /* dropped unread */
  await_begun(2);
  end(&pool);
}

static void test_timeouts(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any arguments[5000], results[5000], result;
  begin(&pool, 1);
  for (int i = 0; i < 5000; i++)
    arguments[i] = snarl_any_int(i);
  snarl_auto_future future = NULL;
  assert_int_equal(snarl_pool_apply_async(&pool, waiting, SNARL_NIL, NULL, &future), SNARL_OK);
  await_begun(1);
  assert_true(snarl_future_running(future));
  assert_false(snarl_future_done(future));
  assert_int_equal(snarl_future_cancel(future), SNARL_STARTED);
  assert_int_equal(snarl_future_result(future, SNARL_NOW, NULL), SNARL_TIMEOUT);
  uint32_t total = arena->total;
  snarl_time start = snarl_clock();
  assert_int_equal(snarl_pool_map(&pool, square, arguments, 5000, 1, results, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_lasted(start, SNARL_MS(20));
  assert_int_equal(snarl_pool_apply(&pool, square, arguments[3], &result, SNARL_MS(1)), SNARL_TIMEOUT);
  (void)snarl_semaphore_release(&arena->go, 1);
  assert_int_equal(snarl_pool_apply(&pool, even, arguments[4], &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(arena->total, total); /* what had not begun was cancelled */
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_OK);
  end(&pool);
}

static void test_cancel(void **state) {
  (void)state;
  enum { WAITING = 3000 }; /* in slots, and behind them */
  static snarl_future *futures[WAITING];
  snarl_pool pool;
  begin(&pool, 1);
  snarl_auto_future first = NULL;
  uint32_t total = arena->total;
  assert_int_equal(snarl_pool_apply_async(&pool, waiting, SNARL_NIL, NULL, &first), SNARL_OK);
  await_begun(1);
  for (int i = 0; i < WAITING; i++)
    assert_int_equal(snarl_pool_apply_async(&pool, square, snarl_any_int(i), NULL, &futures[i]), SNARL_OK);
  assert_false(snarl_future_running(futures[0]));
  for (int i = 0; i < WAITING; i += 2) {
    assert_int_equal(snarl_future_cancel(futures[i]), SNARL_OK);
    assert_int_equal(snarl_future_cancel(futures[i]), SNARL_CANCELLED);
    assert_true(snarl_future_cancelled(futures[i]) && snarl_future_done(futures[i]));
  }
  (void)snarl_semaphore_release(&arena->go, 1);
  for (int i = 0; i < WAITING; i++) {
    void *value = NULL;
    assert_int_equal(snarl_future_result(futures[i], SNARL_FOREVER, &value), i % 2 ? SNARL_OK : SNARL_CANCELLED);
    assert_true(i % 2 == 0 || snarl_any_as_int(*(snarl_any *)value) == (int64_t)i * i);
    snarl_future_drop(futures[i]);
  }
  assert_int_equal(arena->total, total + WAITING / 2);
  end(&pool);
}

struct heard {
  _Atomic int done, failed;
  uint32_t thread;
  int64_t last;
};
static void hear_done(snarl_any result, void *context) {
  struct heard *heard = context;
  heard->thread = snarl_get_ident();
  heard->last = snarl_any_is_list(result) ? (int64_t)snarl_any_length(result) : snarl_any_as_int(result);
  heard->done++;
}
static void hear_failed(const struct snarl_error *error, void *context) {
  struct heard *heard = context;
  heard->thread = snarl_get_ident();
  heard->last = error->code;
  heard->failed++;
}
static void test_callbacks(void **state) {
  (void)state;
  snarl_pool pool;
  struct heard heard = {.done = 0};
  struct snarl_pool_callbacks callbacks = {hear_done, hear_failed, &heard}, none = {NULL, NULL, NULL};
  snarl_any arguments[3] = {snarl_any_int(2), snarl_any_int(4), snarl_any_int(6)};
  begin(&pool, 1);
  snarl_auto_future done = NULL;
  snarl_auto_future failed = NULL;
  snarl_auto_future list = NULL;
  snarl_auto_future silent = NULL;
  assert_int_equal(snarl_pool_apply_async(&pool, even, snarl_any_int(8), &callbacks, &done), SNARL_OK);
  assert_int_equal(snarl_future_result(done, SNARL_FOREVER, NULL), SNARL_OK);
  assert_true(heard.done == 1 && heard.last == 8); /* before the result is there */
  assert_int_not_equal(heard.thread, snarl_get_ident());
  uint32_t collector = heard.thread;
  assert_int_equal(snarl_pool_apply_async(&pool, even, snarl_any_int(9), &callbacks, &failed), SNARL_OK);
  assert_int_equal(snarl_future_result(failed, SNARL_FOREVER, NULL), SNARL_FAILED);
  assert_true(heard.failed == 1 && heard.last == 33 && heard.thread == collector);
  assert_int_equal(snarl_pool_map_async(&pool, even, arguments, 3, 2, &callbacks, &list), SNARL_OK);
  assert_int_equal(snarl_future_result(list, SNARL_FOREVER, NULL), SNARL_OK);
  assert_true(heard.done == 2 && heard.last == 3 && heard.thread == collector);
  assert_int_equal(snarl_pool_apply_async(&pool, even, snarl_any_int(9), &none, &silent), SNARL_OK);
  assert_int_equal(snarl_future_result(silent, SNARL_FOREVER, NULL), SNARL_FAILED);
  assert_int_equal(snarl_pool_apply_async(&pool, even, snarl_any_int(10), &callbacks, NULL), SNARL_OK);
  end(&pool);
  assert_true(heard.done == 3 && heard.last == 10);
}

/* What a callback may not do is refused instead of waiting for ever; the rest it may. */
static void call_from_callback(snarl_any result, void *context) {
  snarl_pool *pool = context;
  snarl_any any, argument = snarl_any_int(1);
  (void)result;
  snarl_auto_future future = NULL;
  assert_int_equal(snarl_pool_join(pool, SNARL_FOREVER), SNARL_STILL_OPEN);
  assert_int_equal(snarl_pool_apply_async(pool, square, snarl_any_int(1), NULL, &future), SNARL_OK);
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_DEADLOCK);
  assert_int_equal(snarl_pool_apply(pool, square, snarl_any_int(1), &any, SNARL_FOREVER), SNARL_DEADLOCK);
  assert_int_equal(snarl_pool_map(pool, square, &argument, 1, 1, &any, SNARL_FOREVER), SNARL_DEADLOCK);
  assert_int_equal(snarl_pool_destroy(pool), SNARL_DEADLOCK);
  assert_int_equal(snarl_pool_close(pool), SNARL_OK);
  assert_int_equal(snarl_pool_join(pool, SNARL_FOREVER), SNARL_DEADLOCK);
}
static void test_calls_in_callback(void **state) {
  (void)state;
  snarl_pool pool;
  struct snarl_pool_callbacks callbacks = {call_from_callback, NULL, &pool};
  begin(&pool, 1);
  assert_int_equal(snarl_pool_apply_async(&pool, square, snarl_any_int(2), &callbacks, NULL), SNARL_OK);
  while (snarl_pool_join(&pool, SNARL_S(20)) == SNARL_STILL_OPEN)
    snarl_sleep(SNARL_MS(1));
  assert_int_equal(snarl_pool_destroy(&pool), SNARL_OK);
}

static void test_close(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 2);
  assert_int_equal(snarl_pool_join(&pool, SNARL_FOREVER), SNARL_STILL_OPEN);
  snarl_future *futures[20];
  for (int i = 0; i < 20; i++)
    assert_int_equal(snarl_pool_apply_async(&pool, i < 2 ? waiting : even, snarl_any_int(i * 2), NULL, &futures[i]),
                     SNARL_OK);
  await_begun(2);
  assert_int_equal(snarl_pool_close(&pool), SNARL_OK);
  assert_int_equal(snarl_pool_close(&pool), SNARL_OK);
  assert_int_equal(snarl_pool_apply(&pool, even, snarl_any_int(2), &result, SNARL_FOREVER), SNARL_CLOSED);
  assert_int_equal(snarl_pool_join(&pool, SNARL_MS(10)), SNARL_TIMEOUT);
  (void)snarl_semaphore_release(&arena->go, 2);
  assert_int_equal(snarl_pool_join(&pool, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_pool_join(&pool, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_pool_destroy(&pool), SNARL_OK);
  for (int i = 0; i < 20; i++) { /* they outlive the pool */
    void *value = NULL;
    assert_int_equal(snarl_future_result(futures[i], SNARL_NOW, &value), SNARL_OK);
    assert_int_equal(snarl_any_as_int(*(snarl_any *)value), i * 2);
    snarl_future_drop(futures[i]);
  }
  assert_int_equal(snarl_pool_close(&pool), SNARL_DESTROYED);
}

static void test_terminate(void **state) {
  (void)state;
  enum { MANY = 2000 };
  static snarl_future *futures[MANY];
  static snarl_any arguments[MANY];
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 2);
  for (int i = 0; i < MANY; i++) {
    arguments[i] = snarl_any_int(i);
    assert_int_equal(snarl_pool_apply_async(&pool, i < 2 ? waiting : square, snarl_any_int(i), NULL, &futures[i]),
                     SNARL_OK);
  }
  snarl_auto_pool_results results = NULL;
  assert_int_equal(snarl_pool_imap(&pool, square, arguments, MANY, 3, &results), SNARL_OK);
  await_begun(2);
  uint32_t total = arena->total;
  assert_int_equal(snarl_pool_terminate(&pool), SNARL_OK);
  assert_int_equal(snarl_pool_apply(&pool, even, snarl_any_int(2), &result, SNARL_FOREVER), SNARL_CLOSED);
  assert_int_equal(snarl_pool_join(&pool, SNARL_S(20)), SNARL_OK);
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(snarl_future_result(futures[i], SNARL_NOW, NULL), i < 2 ? SNARL_FAILED : SNARL_CANCELLED);
    assert_true(i >= 2 || snarl_future_error(futures[i])->code == SNARL_CANCELLED);
    snarl_future_drop(futures[i]);
  }
  for (int i = 0; i < MANY; i++)
    assert_int_equal(snarl_pool_results_next(results, SNARL_NOW, &result), SNARL_CANCELLED);
  assert_int_equal(snarl_pool_results_next(results, SNARL_NOW, &result), SNARL_CLOSED);
  assert_int_equal(arena->total, total);
  assert_int_equal(snarl_pool_destroy(&pool), SNARL_OK);
}

/* Whoever does not hear SIGTERM gets SIGKILL. */
static snarl_any deaf(snarl_any unused) {
  (void)signal(SIGTERM, SIG_IGN);
  return waiting(unused);
}
static void test_terminate_deaf(void **state) {
  (void)state;
  snarl_auto_future future = NULL;
  {
    snarl_auto_pool pool;
    begin(&pool, 1);
    assert_int_equal(snarl_pool_apply_async(&pool, deaf, SNARL_NIL, NULL, &future), SNARL_OK);
    await_begun(1);
  }
  assert_int_equal(snarl_future_result(future, SNARL_NOW, NULL), SNARL_FAILED);
}

static void test_max_tasks(void **state) {
  (void)state;
  struct snarl_pool_options options = {.workers = 2, .max_tasks_per_child = 3};
  snarl_pool pool;
  snarl_any arguments[100], results[100];
  memset(arguments, 0, sizeof arguments);
  assert_int_equal(snarl_pool_init(&pool, "pool", &options), SNARL_OK);
  assert_int_equal(snarl_pool_map(&pool, whose, arguments, 100, 1, results, SNARL_FOREVER), SNARL_OK);
  int processes = 0;
  for (int i = 0; i < 100; i++) {
    int same_before = 0, same_all = 0;
    for (int j = 0; j < 100; j++) {
      bool is_same = snarl_any_as_int(results[i]) == snarl_any_as_int(results[j]);
      same_all += is_same;
      same_before += is_same && j < i;
    }
    assert_true(same_all <= 3);
    processes += !same_before;
  }
  assert_true(processes >= 34);
  end(&pool);
}

static int initialized; /* in each process for itself */
static void initialize(void *context) { initialized += *(int *)context; }
static snarl_any is_initialized(snarl_any unused) { return (void)unused, snarl_any_int(initialized); }
static void test_initializer(void **state) {
  (void)state;
  int seven = 7;
  struct snarl_pool_options options = {
      .workers = 2, .initializer = initialize, .initializer_context = &seven, .max_tasks_per_child = 1};
  snarl_pool pool;
  assert_int_equal(snarl_pool_init(&pool, "pool", &options), SNARL_OK);
  for (int i = 0; i < 10; i++) {
    snarl_any result;
    assert_int_equal(snarl_pool_apply(&pool, is_initialized, SNARL_NIL, &result, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_any_as_int(result), 7);
  }
  assert_int_equal(initialized, 0);
  end(&pool);
}

/* In a task the pool is another process's; a daemon has no processes of its own. */
static snarl_pool *outer;
static snarl_any calls_own_pool(snarl_any unused) {
  snarl_pool inner;
  snarl_any list = snarl_any_list(), result;
  (void)unused;
  (void)snarl_any_list_append(list, snarl_pool_apply(outer, square, SNARL_NIL, &result, SNARL_FOREVER));
  (void)snarl_any_list_append(list, snarl_pool_close(outer));
  (void)snarl_any_list_append(list, snarl_pool_init(&inner, "inner", NULL));
  return list;
}
static void test_in_task(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  outer = &pool;
  begin(&pool, 1);
  assert_int_equal(snarl_pool_apply(&pool, calls_own_pool, SNARL_NIL, &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_any_as_int(snarl_any_list_get(result, 0)), SNARL_FORKED);
  assert_int_equal(snarl_any_as_int(snarl_any_list_get(result, 1)), SNARL_FORKED);
  assert_int_equal(snarl_any_as_int(snarl_any_list_get(result, 2)), SNARL_DAEMON);
  snarl_any_drop(&result);
  end(&pool);
}

/* A child of the program's own has nothing of the pool, and cannot harm it. */
static int use_in_child(void *context) {
  snarl_pool *pool = context;
  snarl_any result;
  int status = snarl_pool_apply(pool, square, SNARL_NIL, &result, SNARL_FOREVER);
  return status != SNARL_FORKED || snarl_pool_destroy(pool) != SNARL_OK;
}
/* Whatever the program's other processes are, workers are forks. */
static void test_start_method(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  assert_int_equal(snarl_set_start_method(SNARL_START_SPAWN), SNARL_OK);
  begin(&pool, 1);
  assert_int_equal(snarl_pool_apply(&pool, square, snarl_any_int(5), &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 25);
  end(&pool);
  assert_int_equal(snarl_set_start_method(SNARL_START_FORK), SNARL_OK);
}

static void test_forked(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 2);
  snarl_process child = SNARL_PROCESS_INIT("child", use_in_child, &pool);
  assert_int_equal(snarl_process_start(&child), SNARL_OK);
  assert_int_equal(snarl_process_join(&child, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_pool_apply(&pool, square, snarl_any_int(5), &result, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_any_as_int(result), 25);
  end(&pool);
}

static void test_invalid(void **state) {
  (void)state;
  snarl_pool pool = {.pool = NULL};
  snarl_any results[3];
  assert_int_equal(snarl_pool_init(NULL, "pool", NULL), SNARL_INVALID);
  assert_int_equal(snarl_pool_init(&pool, "pool", &(struct snarl_pool_options){.workers = 70000}), SNARL_INVALID);
  assert_int_equal(snarl_pool_close(&pool), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_pool_apply(&pool, square, SNARL_NIL, results, SNARL_NOW), SNARL_NOT_INITIALIZED);
  begin(&pool, 1);
  assert_int_equal(snarl_pool_map(&pool, square, NULL, 3, 1, results, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_pool_map(&pool, square, results, 3, 1, NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_pool_imap(&pool, square, NULL, 0, 1, NULL), SNARL_INVALID);
  assert_int_equal(snarl_pool_results_next(NULL, SNARL_NOW, results), SNARL_INVALID);
  assert_true(snarl_pool_worker_pid(&pool, 0) > 0);
  assert_int_equal(snarl_pool_worker_pid(&pool, 1), 0);
  end(&pool);
}

/* Several threads give it work at once. */
static void *give_work(void *context) {
  snarl_pool *pool = context;
  for (int i = 0; i < 500; i++) {
    snarl_any result;
    if (snarl_pool_apply(pool, square, snarl_any_int(i), &result, SNARL_FOREVER) ||
        snarl_any_as_int(result) != (int64_t)i * i)
      return as_pointer(1);
  }
  return NULL;
}
static void test_threads(void **state) {
  (void)state;
  snarl_pool pool;
  pthread_t threads[4];
  begin(&pool, 2);
  for (int i = 0; i < 4; i++)
    threads[i] = begin_thread(give_work, &pool);
  for (int i = 0; i < 4; i++)
    assert_null(end_thread(threads[i]));
  end(&pool);
}

enum { MEBI = 1 << 20 };
static snarl_any bytes_of(snarl_any size) {
  char *bytes = calloc(1, (size_t)snarl_any_as_int(size));
  snarl_any all = snarl_any_bytes(bytes, (size_t)snarl_any_as_int(size));
  free(bytes);
  return all;
}

static int use_short_files(void) {
  struct rlimit file = {.rlim_cur = MEBI, .rlim_max = RLIM_INFINITY};
  struct snarl_pool_options one = {.workers = 1};
  snarl_pool pool;
  snarl_any result;
  if (setrlimit(RLIMIT_FSIZE, &file) || snarl_pool_init(&pool, "pool", &one) != SNARL_NO_MEMORY)
    return 1;
  file.rlim_cur = 32 * MEBI;
  if (setrlimit(RLIMIT_FSIZE, &file) || snarl_pool_init(&pool, "pool", &one))
    return 2;
  snarl_auto_any large = bytes_of(snarl_any_int(24 * MEBI));
  if (snarl_pool_apply(&pool, same, snarl_any_keep(large), &result, SNARL_FOREVER) != SNARL_NO_MEMORY)
    return 3;
  if (snarl_pool_apply(&pool, bytes_of, snarl_any_int(24 * MEBI), &result, SNARL_FOREVER) != SNARL_FAILED)
    return 4;
  if (snarl_pool_apply(&pool, square, snarl_any_int(3), &result, SNARL_FOREVER) || snarl_any_as_int(result) != 9)
    return 5;
  return snarl_pool_destroy(&pool);
}

/* More than files may have is no memory, and no SIGXFSZ. */
static void test_short_files(void **state) {
  (void)state;
  int status, pid = fork();
  if (!pid)
    _exit(use_short_files());
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_apply),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_unsendable),
      cmocka_unit_test(test_chunks),
      cmocka_unit_test(test_starmap),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_map_async),
      cmocka_unit_test(test_imap),
      cmocka_unit_test(test_imap_waits),
      cmocka_unit_test(test_timeouts),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_callbacks),
      cmocka_unit_test(test_calls_in_callback),
      cmocka_unit_test(test_close),
      cmocka_unit_test(test_terminate),
      cmocka_unit_test(test_terminate_deaf),
      cmocka_unit_test(test_max_tasks),
      cmocka_unit_test(test_initializer),
      cmocka_unit_test(test_in_task),
      cmocka_unit_test(test_forked),
      cmocka_unit_test(test_start_method),
      cmocka_unit_test(test_invalid),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_short_files),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
