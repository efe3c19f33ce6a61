/* SPDX-License-Identifier: MIT
 *
 * One pool is closed and joined before its block ends; another is terminated by a call, which is meant.
 */
#include <snarl/snarl.h>

static snarl_any task(snarl_any argument) { return argument; }
static snarl_any long_task(snarl_any argument) {
  snarl_sleep(SNARL_S(100));
  return argument;
}

int main(void) {
  static const struct snarl_pool_options one = {.workers = 1};
  snarl_auto_pool pool;
  if (snarl_pool_init(&pool, "pool", &one))
    return 1;
  snarl_auto_pool ended;
  if (snarl_pool_init(&ended, "ended", &one))
    return 1;
  for (int i = 0; i < 3; i++)
    if (snarl_pool_apply_async(&pool, task, SNARL_NIL, NULL, NULL) ||
        snarl_pool_apply_async(&ended, long_task, SNARL_NIL, NULL, NULL))
      return 1;
  return snarl_pool_close(&pool) || snarl_pool_join(&pool, SNARL_FOREVER) || snarl_pool_terminate(&ended);
}
