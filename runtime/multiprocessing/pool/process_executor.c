/* SPDX-License-Identifier: MIT
 *
 * ProcessPoolExecutor: the calls that concurrent.futures has. Entered by any thread.
 */
#include "submit.h"
#include <snarl/process_executor.h>

static int pool_of(const snarl_process_executor *executor, struct snarli_process_pool **pool, struct snarl_site *site) {
  return snarli_pool_of(executor, SNARLI_ALIVE(PROCESS_EXECUTOR), pool, site);
}

int snarl_process_executor_init_at(snarl_process_executor *executor, const char *name,
                                   const struct snarl_pool_options *options, struct snarl_site *site) {
  return snarli_pool_object_begin(executor, SNARLI_ALIVE(PROCESS_EXECUTOR), name, options, site);
}

int snarl_process_executor_submit_at(snarl_process_executor *executor, snarl_process_task *task, snarl_any argument,
                                     snarl_future **future, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(executor, &pool, site);
  if (!status)
    return snarli_submit_one(pool, task, argument, NULL, future, site);
  snarl_any_drop(&argument);
  return status;
}

int snarl_process_executor_map_at(snarl_process_executor *executor, snarl_process_task *task,
                                  const snarl_any *arguments, size_t count, size_t chunk, snarl_any *results,
                                  snarl_time timeout, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(executor, &pool, site);
  return status ? status
                : snarli_submit_and_await(pool, task, arguments, count, chunk ? chunk : 1, results, timeout, site);
}

int snarl_process_executor_shutdown_at(snarl_process_executor *executor, bool wait, bool cancel_futures,
                                       struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(executor, &pool, site);
  if (status)
    return status;
  if (wait && snarli_pool_is_collector(pool))
    return snarli_refuse(SNARL_DEADLOCK, executor, site);
  snarli_pool_note_closed(pool, site);
  snarli_pool_close(pool);
  if (cancel_futures)
    (void)snarli_pool_end_waiting(pool, NULL);
  return wait ? snarli_pool_join(pool, SNARL_FOREVER, site) : SNARL_OK;
}

int snarl_process_executor_destroy_at(snarl_process_executor *executor, struct snarl_site *site) {
  int status = snarl_process_executor_shutdown_at(executor, true, false, site);
  if (status && status != SNARL_FORKED)
    return status;
  snarli_pool_object_end(executor);
  return SNARL_OK;
}

void snarli_process_executor_left(snarl_process_executor *executor) {
  if (executor->object.kind == SNARLI_ALIVE(PROCESS_EXECUTOR))
    (void)snarl_process_executor_destroy_at(executor, NULL);
}

int snarl_process_executor_worker_pid(const snarl_process_executor *executor, unsigned worker) {
  struct snarli_process_pool *pool = NULL;
  if (pool_of(executor, &pool, NULL) || worker >= pool->options.workers)
    return 0;
  return (int)snarli_load(&pool->workers[worker].pid);
}
