/* SPDX-License-Identifier: MIT
 *
 * As hang_pool_task_bad.c, but main sets the event before it waits for the result.
 */
#include <snarl/snarl.h>
#include <sys/mman.h>

static snarl_event *event;

static snarl_any task(snarl_any argument) {
  (void)snarl_event_wait(event, SNARL_FOREVER);
  return argument;
}

int main(void) {
  snarl_pool pool;
  snarl_auto_future future = NULL;
  event = mmap(NULL, sizeof *event, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (event == MAP_FAILED || snarl_event_init_shared(event, "event"))
    return 1;
  if (snarl_pool_init(&pool, "pool", &(struct snarl_pool_options){.workers = 1}))
    return 1;
  int status = snarl_pool_apply_async(&pool, task, SNARL_NIL, NULL, &future);
  (void)snarl_event_set(event);
  if (!status)
    status = snarl_future_result(future, SNARL_FOREVER, NULL);
  return status || snarl_pool_close(&pool) || snarl_pool_join(&pool, SNARL_FOREVER) || snarl_pool_destroy(&pool);
}
