/* SPDX-License-Identifier: MIT
 *
 * A task maps another over a second executor.
 */
#include <snarl/snarl.h>

static snarl_executor pool, leaves;

static void *leaf(void *argument) { return argument; }

static void *branch(void *argument) {
  void *results[1];
  return snarl_executor_map(&leaves, leaf, &argument, 1, results, SNARL_FOREVER) ? NULL : results[0];
}

int main(void) {
  snarl_auto_future future = NULL;
  struct snarl_executor_options one = {.workers = 1};
  if (snarl_executor_init(&pool, "pool", &one) || snarl_executor_init(&leaves, "leaves", &one) ||
      snarl_executor_submit(&pool, branch, &pool, &future) || snarl_future_result(future, SNARL_FOREVER, NULL))
    return 1;
  return snarl_executor_destroy(&pool) || snarl_executor_destroy(&leaves);
}
