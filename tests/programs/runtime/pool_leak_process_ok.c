/* SPDX-License-Identifier: MIT
 *
 * Pools of processes are closed: by the end of a block, and by a call.
 */
#include <snarl/snarl.h>

static snarl_pool called;
static snarl_any task(snarl_any argument) { return argument; }

int main(void) {
  static const struct snarl_pool_options one = {.workers = 1};
  snarl_auto_pool pool;
  if (snarl_pool_init(&pool, "pool", &one))
    return 1;
  snarl_any result;
  return snarl_pool_init(&called, "called", &one) || snarl_pool_apply(&pool, task, SNARL_NIL, &result, SNARL_FOREVER) ||
         snarl_pool_apply(&called, task, SNARL_NIL, &result, SNARL_FOREVER) || snarl_pool_close(&called) ||
         snarl_pool_join(&called, SNARL_FOREVER);
}
