/* SPDX-License-Identifier: MIT
 *
 * A variable goes through a queue to another thread, back through a second one, and through a task and its future.
 */
#include "threads.h"

static SNARL_SHARED(int) baton = SNARL_SHARED_INIT("baton", 0);
static snarl_queue there = SNARL_QUEUE_INIT("there", 1), back = SNARL_QUEUE_INIT("back", 0);

static void *left(void *unused) {
  void *item = &baton;
  snarl_shared_update(&baton, += 1);
  if (snarl_queue_put(&there, item, SNARL_FOREVER) || snarl_queue_get(&back, &item, SNARL_FOREVER))
    abort();
  snarl_shared_update(&baton, += 1);
  return unused;
}

static void *right(void *unused) {
  void *item;
  if (snarl_queue_get(&there, &item, SNARL_FOREVER))
    abort();
  snarl_shared_update(&baton, += 1);
  if (snarl_queue_put(&back, item, SNARL_FOREVER))
    abort();
  return unused;
}

static void *task(void *unused) {
  snarl_shared_update(&baton, += 1);
  return unused;
}

int main(void) {
  THREADS({"left", left}, {"right", right});
  snarl_executor pool;
  struct snarl_executor_options one = {.workers = 1};
  snarl_future *future;
  void *result;
  if (snarl_executor_init(&pool, "pool", &one) || snarl_executor_submit(&pool, task, NULL, &future) ||
      snarl_future_result(future, SNARL_FOREVER, &result))
    return 1;
  snarl_shared_update(&baton, += 1);
  snarl_future_drop(future);
  return snarl_executor_destroy(&pool) || snarl_shared_read(&baton) != 5;
}
