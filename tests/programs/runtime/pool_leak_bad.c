/* SPDX-License-Identifier: MIT
 *
 * An executor is never shut down.
 */
#include <snarl/snarl.h>

static snarl_executor pool;
static void *task(void *argument) { return argument; }

int main(void) {
  snarl_auto_future future = NULL;
  if (snarl_executor_init(&pool, "pool", NULL) || snarl_executor_submit(&pool, task, NULL, &future))
    return 1;
  return snarl_future_result(future, SNARL_FOREVER, NULL);
}
