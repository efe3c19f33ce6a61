/* SPDX-License-Identifier: MIT
 *
 * Each worker runs a task that waits for another task of the same executor, and none is left to run those.
 */
#include "order.h"
#include <snarl/snarl.h>

static snarl_executor pool;
static _Atomic int both;

static void *inner(void *argument) { return argument; }

static void *outer(void *argument) {
  snarl_auto_future future = NULL;
  void *value = NULL;
  order_meet(&both, 2);
  if (snarl_executor_submit(&pool, inner, argument, &future) == SNARL_OK)
    (void)snarl_future_result(future, SNARL_FOREVER, &value);
  return value;
}

int main(void) {
  void *values[2] = {NULL, NULL}, *arguments[2] = {&pool, &both};
  if (snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 2}))
    return 1;
  int status = snarl_executor_map(&pool, outer, arguments, 2, values, SNARL_FOREVER);
  return status || snarl_executor_destroy(&pool);
}
