/* SPDX-License-Identifier: MIT
 *
 * The end of a block terminates a pool whose work is not done, as `with` does.
 */
#include <snarl/snarl.h>

static snarl_any task(snarl_any argument) {
  snarl_sleep(SNARL_S(100));
  return argument;
}

int main(void) {
  snarl_auto_pool pool;
  if (snarl_pool_init(&pool, "pool", &(struct snarl_pool_options){.workers = 1}))
    return 1;
  for (int i = 0; i < 3; i++)
    if (snarl_pool_apply_async(&pool, task, SNARL_NIL, NULL, NULL))
      return 1;
  return 0;
}
