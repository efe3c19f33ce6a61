/* SPDX-License-Identifier: MIT
 *
 * A pool of processes with each allocation failing once in its turn, in the program and in its workers: a status or a
 * future's failure tells it, nothing waits for ever, all is given back. The allocator is wrapped by the linker.
 */
#include "test_runtime.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static atomic_long before_failure, outstanding;

static void *counted(void *memory) {
  outstanding += memory != NULL;
  return memory;
}
static bool fails(void) { return atomic_fetch_sub(&before_failure, 1) == 0; }

void *__wrap_malloc(size_t size) { return fails() ? NULL : counted(__real_malloc(size)); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : counted(__real_calloc(count, size)); }
void *__wrap_realloc(void *memory, size_t size) {
  if (fails())
    return NULL;
  return memory ? __real_realloc(memory, size) : counted(__real_realloc(NULL, size));
}
void __wrap_free(void *memory) {
  outstanding -= memory != NULL;
  __real_free(memory);
}

static snarl_any repeat(snarl_any text) { return snarl_any_stringf("%s%s", snarl_any_as_string(text), "!"); }
static snarl_any fail_always(snarl_any text) {
  snarl_fail(3, "not %s", snarl_any_as_string(text));
  return SNARL_NIL;
}
static void done(snarl_any result, void *context) {
  (void)result;
  ++*(atomic_int *)context;
}
static void failed(const struct snarl_error *error, void *context) {
  (void)error;
  ++*(atomic_int *)context;
}

enum { ITEMS = 5 };

static bool is_fine(int status) { return status == SNARL_OK || status == SNARL_NO_MEMORY || status == SNARL_FAILED; }

static void use_map(snarl_pool *pool, snarl_process_task *task) {
  snarl_any texts[ITEMS], results[ITEMS];
  for (int i = 0; i < ITEMS; i++)
    texts[i] = snarl_any_stringf("text %d", i);
  assert_true(is_fine(snarl_pool_map(pool, task, texts, ITEMS, 2, results, SNARL_S(20))));
  snarl_auto_pool_results all = NULL;
  if (snarl_pool_imap(pool, task, texts, ITEMS, 2, &all) == SNARL_OK)
    for (int i = 0; i < ITEMS; i++) {
      snarl_any result;
      assert_true(is_fine(snarl_pool_results_next(all, SNARL_S(20), &result)));
      snarl_any_drop(&result);
    }
  for (int i = 0; i < ITEMS; i++) {
    snarl_any_drop(&texts[i]);
    snarl_any_drop(&results[i]);
  }
}

static void use_futures(snarl_pool *pool) {
  atomic_int calls = 0, submitted = 0;
  struct snarl_pool_callbacks callbacks = {done, failed, &calls};
  snarl_any texts[2] = {snarl_any_string("one"), snarl_any_list()};
  snarl_future *futures[2] = {NULL, NULL};
  submitted += snarl_pool_apply_async(pool, repeat, snarl_any_string("text"), &callbacks, &futures[0]) == SNARL_OK;
  submitted += snarl_pool_map_async(pool, repeat, texts, 2, 1, &callbacks, &futures[1]) == SNARL_OK;
  for (int i = 0; i < 2; i++)
    if (futures[i]) {
      assert_true(is_fine(snarl_future_result(futures[i], SNARL_S(20), NULL)));
      snarl_future_drop(futures[i]);
    }
  assert_int_equal(calls, submitted);
  for (int i = 0; i < 2; i++)
    snarl_any_drop(&texts[i]);
}

static void use_pool(void) {
  snarl_pool pool;
  struct snarl_pool_options options = {.workers = 1, .max_tasks_per_child = 4};
  int status = snarl_pool_init(&pool, "pool", &options);
  assert_true(status == SNARL_OK || status == SNARL_NO_MEMORY);
  if (status)
    return;
  use_futures(&pool);
  use_map(&pool, repeat);
  use_map(&pool, fail_always);
  assert_int_equal(snarl_pool_close(&pool), SNARL_OK);
  assert_int_equal(snarl_pool_join(&pool, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_pool_destroy(&pool), SNARL_OK);
}

static void test_pool(void **state) {
  (void)state;
  enum { MOST = 10000 };
  atomic_store(&before_failure, -1);
  use_pool(); /* what is kept for the next time is there now */
  long before = outstanding, n = 0;
  for (bool has_failed = true; has_failed; n++) {
    assert_true(n < MOST);
    atomic_store(&before_failure, n);
    use_pool();
    has_failed = before_failure < 0;
    atomic_store(&before_failure, -1);
    assert_int_equal(outstanding, before);
  }
  assert_true(n > 1);
  printf("%ld allocations\n", n - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
