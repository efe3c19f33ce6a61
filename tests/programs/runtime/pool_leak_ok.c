/* SPDX-License-Identifier: MIT
 *
 * One executor is shut down by the end of its block, one by hand.
 */
#include <snarl/snarl.h>

static void *task(void *argument) { return argument; }

int main(void) {
  snarl_auto_executor pool;
  snarl_executor other;
  snarl_auto_future future = NULL;
  if (snarl_executor_init(&pool, "pool", NULL) || snarl_executor_init(&other, "other", NULL) ||
      snarl_executor_submit(&pool, task, NULL, &future))
    return 1;
  return snarl_future_result(future, SNARL_FOREVER, NULL) || snarl_executor_shutdown(&other, true, true);
}
