/* SPDX-License-Identifier: MIT
 *
 * Queues, executors and futures with each allocation failing once in its turn: a status tells it, the second try works,
 * nothing is lost and all is given back. The allocator is wrapped by the linker.
 */
#include "test_runtime.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);

static atomic_long before_failure, outstanding;

static void *counted(void *memory) {
  outstanding += memory != NULL;
  return memory;
}
static bool fails(void) { return atomic_fetch_sub(&before_failure, 1) == 0; }

void *__wrap_malloc(size_t size) { return fails() ? NULL : counted(__real_malloc(size)); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : counted(__real_calloc(count, size)); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}
void *__wrap_realloc(void *memory, size_t size) {
  if (fails())
    return NULL;
  return memory ? __real_realloc(memory, size) : counted(__real_realloc(NULL, size));
}
void __wrap_free(void *memory) {
  outstanding -= memory != NULL;
  __real_free(memory);
}

/* Runs it with no failure, then with the first, the second, ... allocation failing, until it needs no more. */
static void with_failures(void (*scenario)(void)) {
  enum { MOST = 10000 };
  atomic_store(&before_failure, -1);
  scenario(); /* what is kept for the next time is there now */
  long before = outstanding, n = 0;
  for (bool has_failed = true; has_failed; n++) {
    assert_true(n < MOST);
    atomic_store(&before_failure, n);
    scenario();
    has_failed = before_failure < 0;
    atomic_store(&before_failure, -1);
    assert_int_equal(outstanding, before);
  }
  assert_true(n > 1);
  printf("%ld allocations\n", n - 1);
}

/* At most one allocation fails, so the second try works. */
#define assert_eventually(call)                                                                                        \
  do {                                                                                                                 \
    int status_ = (call);                                                                                              \
    assert_int_equal(status_ == SNARL_NO_MEMORY ? (call) : status_, SNARL_OK);                                         \
  } while (0)

enum { ITEMS = 1200 };

static void fill_and_empty(snarl_queue *queue, int count, bool is_backwards) {
  void *item;
  for (int i = 0; i < count; i++)
    assert_eventually(snarl_queue_put(queue, as_pointer(i), SNARL_NOW));
  for (int i = 0; i < count; i++) {
    assert_int_equal(snarl_queue_get(queue, &item, SNARL_NOW), SNARL_OK);
    assert_int_equal(as_status(item), is_backwards ? count - 1 - i : i);
    assert_int_equal(snarl_queue_task_done(queue), SNARL_OK);
  }
  assert_int_equal(snarl_queue_join(queue, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_queue_close(queue), SNARL_OK);
  assert_int_equal(snarl_queue_destroy(queue), SNARL_OK);
}
static void use_queues(void) {
  snarl_queue ring = SNARL_QUEUE_INIT("ring", 10), chain = SNARL_QUEUE_INIT("chain", 0),
              lifo = SNARL_LIFO_QUEUE_INIT("lifo", 0), heap = SNARL_PRIORITY_QUEUE_INIT("heap", 0, NULL);
  fill_and_empty(&ring, 10, false);
  fill_and_empty(&chain, ITEMS, false);
  fill_and_empty(&lifo, ITEMS, true);
  fill_and_empty(&heap, ITEMS, false);
}
static void test_queues(void **state) {
  (void)state;
  with_failures(use_queues);
}

/* The first call of each is another than a put. */
static void use_empty_queues(void) {
  snarl_queue queue = SNARL_QUEUE_INIT("queue", 0);
  void *item = NULL;
  int status = snarl_queue_get(&queue, &item, SNARL_NOW);
  assert_true(status == SNARL_NO_MEMORY || status == SNARL_TIMEOUT);
  assert_eventually(snarl_queue_join(&queue, SNARL_NOW));
  assert_eventually(snarl_queue_close(&queue));
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}
static void test_empty_queues(void **state) {
  (void)state;
  with_failures(use_empty_queues);
}

enum { TASKS = 20 };
static void *same(void *argument) { return argument; }
static void *give_up(void *argument) { return snarl_fail(as_status(argument), "number %d", as_status(argument)); }

static void use_executor(void) {
  snarl_executor pool;
  snarl_future *futures[TASKS];
  assert_eventually(snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 3}));
  for (int i = 0; i < TASKS; i++)
    assert_eventually(snarl_executor_submit(&pool, same, as_pointer(i), &futures[i]));
  for (int i = 0; i < TASKS; i++) {
    void *value = NULL;
    assert_int_equal(snarl_future_result(futures[i], SNARL_FOREVER, &value), SNARL_OK);
    assert_int_equal(as_status(value), i);
    snarl_future_drop(futures[i]);
  }
  assert_int_equal(snarl_executor_destroy(&pool), SNARL_OK);
}
static void test_executor(void **state) {
  (void)state;
  with_failures(use_executor);
}

static void use_failing_task(void) {
  snarl_executor pool;
  snarl_future *future = NULL;
  assert_eventually(snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 1}));
  assert_eventually(snarl_executor_submit(&pool, give_up, as_pointer(7), &future));
  assert_int_equal(snarl_future_result(future, SNARL_FOREVER, NULL), SNARL_FAILED);
  const struct snarl_error *error = snarl_future_error(future);
  assert_non_null(error);
  assert_true((error->code == 7 && !strcmp(error->message, "number 7")) || strstr(error->message, "no memory"));
  assert_int_equal(snarl_executor_destroy(&pool), SNARL_OK);
  snarl_future_drop(future);
}
static void test_failing_task(void **state) {
  (void)state;
  with_failures(use_failing_task);
}

static void count_call(snarl_future *future, void *context) {
  (void)future;
  ++*(_Atomic int *)context;
}
static void use_several(void) {
  snarl_executor pool;
  snarl_future *futures[3], *next = NULL;
  snarl_completed *completed = NULL;
  void *arguments[3] = {&pool, futures, &next}, *results[3];
  _Atomic int calls = 0;
  assert_eventually(snarl_executor_init(&pool, "pool", NULL));
  assert_eventually(snarl_executor_map(&pool, same, arguments, 3, results, SNARL_FOREVER));
  assert_memory_equal(results, arguments, sizeof results);
  for (int i = 0; i < 3; i++) {
    assert_eventually(snarl_executor_submit(&pool, same, NULL, &futures[i]));
    assert_eventually(snarl_future_add_done_callback(futures[i], count_call, &calls));
  }
  assert_eventually(snarl_as_completed(&completed, futures, 3));
  for (int i = 0; i < 3; i++)
    assert_int_equal(snarl_completed_next(completed, SNARL_FOREVER, &next), SNARL_OK);
  snarl_completed_drop(completed);
  int done = snarl_wait(futures, 3, SNARL_ALL_COMPLETED, SNARL_FOREVER);
  assert_int_equal(done == SNARL_NO_MEMORY ? snarl_wait(futures, 3, SNARL_ALL_COMPLETED, SNARL_FOREVER) : done, 3);
  assert_int_equal(snarl_executor_destroy(&pool), SNARL_OK);
  assert_int_equal(calls, 3);
  for (int i = 0; i < 3; i++)
    snarl_future_drop(futures[i]);
}
static void test_several(void **state) {
  (void)state;
  with_failures(use_several);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_queues),       cmocka_unit_test(test_empty_queues), cmocka_unit_test(test_executor),
      cmocka_unit_test(test_failing_task), cmocka_unit_test(test_several),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
