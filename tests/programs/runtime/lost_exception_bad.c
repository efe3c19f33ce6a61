/* SPDX-License-Identifier: MIT
 *
 * A task fails, and nobody asks its future.
 */
#include <snarl/snarl.h>

static void *task(void *argument) { return argument ? argument : snarl_fail(1, "nothing to do"); }

int main(void) {
  snarl_auto_executor pool;
  snarl_auto_future future = NULL;
  if (snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 1}))
    return 1;
  return snarl_executor_submit(&pool, task, NULL, &future) ||
         snarl_wait(&future, 1, SNARL_ALL_COMPLETED, SNARL_FOREVER) != 1;
}
