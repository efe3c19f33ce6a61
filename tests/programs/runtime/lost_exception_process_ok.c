/* SPDX-License-Identifier: MIT
 *
 * Tasks in worker processes fail, and somebody looks at each failure: at the result, after the executor has ended; at
 * the status of a map; in a callback; while taking what imap gives.
 */
#include <snarl/snarl.h>

enum { ITEMS = 5 };

static snarl_any task(snarl_any argument) {
  snarl_fail(1, "nothing to do");
  return argument;
}

static void look(const struct snarl_error *error, void *context) { *(int *)context = error->code; }

static int use_pool(int *code) {
  snarl_any arguments[ITEMS] = {SNARL_NIL}, results[ITEMS];
  snarl_auto_pool_results each = NULL;
  snarl_pool pool;
  struct snarl_pool_callbacks callbacks = {.failed = look, .context = code};
  if (snarl_pool_init(&pool, "pool", &(struct snarl_pool_options){.workers = 2}))
    return 1;
  if (snarl_pool_map(&pool, task, arguments, ITEMS, 2, results, SNARL_FOREVER) != SNARL_FAILED ||
      snarl_pool_apply_async(&pool, task, SNARL_NIL, &callbacks, NULL) ||
      snarl_pool_imap_unordered(&pool, task, arguments, ITEMS, 1, &each))
    return 1;
  for (int i = 0; i < ITEMS; i++)
    if (snarl_pool_results_next(each, SNARL_FOREVER, results) != SNARL_FAILED)
      return 1;
  return snarl_pool_close(&pool) || snarl_pool_join(&pool, SNARL_FOREVER) || snarl_pool_destroy(&pool);
}

int main(void) {
  int code = 0;
  snarl_future *future = NULL;
  {
    snarl_auto_process_executor executor;
    if (snarl_process_executor_init(&executor, "executor", &(struct snarl_pool_options){.workers = 1}) ||
        snarl_process_executor_submit(&executor, task, SNARL_NIL, &future))
      return 1;
  }
  int status = snarl_future_result(future, SNARL_FOREVER, NULL);
  snarl_future_drop(future);
  return status != SNARL_FAILED || use_pool(&code) || code != 1;
}
