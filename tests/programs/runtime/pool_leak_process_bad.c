/* SPDX-License-Identifier: MIT
 *
 * A pool of processes is never closed.
 */
#include <snarl/snarl.h>

static snarl_pool pool;
static snarl_any task(snarl_any argument) { return argument; }

int main(void) {
  snarl_any result;
  return snarl_pool_init(&pool, "pool", &(struct snarl_pool_options){.workers = 1}) ||
         snarl_pool_apply(&pool, task, SNARL_NIL, &result, SNARL_FOREVER);
}
