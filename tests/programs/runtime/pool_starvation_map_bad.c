/* SPDX-License-Identifier: MIT
 *
 * A task maps another over its own executor, whose only worker it keeps.
 */
#include <snarl/snarl.h>

static snarl_executor pool;

static void *leaf(void *argument) { return argument; }

static void *branch(void *argument) {
  void *results[1];
  return snarl_executor_map(&pool, leaf, &argument, 1, results, SNARL_FOREVER) ? NULL : results[0];
}

int main(void) {
  snarl_auto_future future = NULL;
  if (snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 1}) ||
      snarl_executor_submit(&pool, branch, &pool, &future) || snarl_future_result(future, SNARL_FOREVER, NULL))
    return 1;
  return snarl_executor_destroy(&pool);
}
