/* SPDX-License-Identifier: MIT
 *
 * A task waits at a queue for what a task behind it will put there, which has a worker of its own.
 */
#include <snarl/snarl.h>

enum { WORKERS = 2 };
static snarl_queue parts = SNARL_QUEUE_INIT("parts", 4);

static void *assemble(void *unused) {
  void *part;
  return snarl_queue_get(&parts, &part, SNARL_FOREVER) ? unused : part;
}

static void *make(void *part) { return snarl_queue_put(&parts, part, SNARL_FOREVER) ? NULL : part; }

int main(void) {
  snarl_executor pool;
  snarl_auto_future assembled = NULL;
  if (snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = WORKERS}) ||
      snarl_executor_submit(&pool, assemble, NULL, &assembled) || snarl_executor_submit(&pool, make, &pool, NULL) ||
      snarl_future_result(assembled, SNARL_FOREVER, NULL))
    return 1;
  return snarl_executor_destroy(&pool);
}
