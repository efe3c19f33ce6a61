/* SPDX-License-Identifier: MIT
 *
 * A task in a worker process fails, and nobody asks its future.
 */
#include <snarl/snarl.h>

static snarl_any task(snarl_any argument) {
  snarl_fail(1, "nothing to do");
  return argument;
}

int main(void) {
  snarl_auto_process_executor executor;
  snarl_auto_future future = NULL;
  if (snarl_process_executor_init(&executor, "pool", &(struct snarl_pool_options){.workers = 1}))
    return 1;
  return snarl_process_executor_submit(&executor, task, SNARL_NIL, &future) ||
         snarl_wait(&future, 1, SNARL_ALL_COMPLETED, SNARL_FOREVER) != 1;
}
