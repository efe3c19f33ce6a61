/* SPDX-License-Identifier: MIT
 *
 * ProcessPoolExecutor: worker processes that run tasks, each with a Future, as Python's concurrent.futures has it. The
 * workers, the tasks and their arguments are those of a Pool: see <snarl/pool.h>. A result is a `snarl_any *` that
 * belongs to its future. snarl_wait and snarl_as_completed take futures of all executors together.
 *
 *   snarl_auto_process_executor executor;
 *   snarl_process_executor_init(&executor, "executor", NULL);
 *   snarl_process_executor_submit(&executor, square, snarl_any_int(7), &future);
 *   snarl_any *result;
 *   if (snarl_future_result(future, SNARL_FOREVER, (void **)&result) == SNARL_OK) ...
 *
 * It differs from a Pool in what happens at the end and at a death: the end of the block waits until all is done, and
 * an executor that is left open is shut down so when the program exits. A worker that dies breaks it unless the options
 * say SNARL_REPLACE.
 */
#ifndef SNARL_PROCESS_EXECUTOR_H
#define SNARL_PROCESS_EXECUTOR_H

#include <snarl/pool.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_process_executor {
  struct snarl_object object;
  struct snarli_process_pool *pool;
} snarl_process_executor;

/* As snarl_pool_init. */
#define snarl_process_executor_init(executor, name, options)                                                           \
  snarl_process_executor_init_at((executor), (name), (options), SNARL_HERE)
int snarl_process_executor_init_at(snarl_process_executor *executor, const char *name,
                                   const struct snarl_pool_options *options, struct snarl_site *site);
/* As snarl_pool_apply_async. */
#define snarl_process_executor_submit(executor, task, argument, future)                                                \
  snarl_process_executor_submit_at((executor), (task), (argument), (future), SNARL_HERE)
int snarl_process_executor_submit_at(snarl_process_executor *executor, snarl_process_task *task, snarl_any argument,
                                     snarl_future **future, struct snarl_site *site);
/* As snarl_pool_map; `chunk` 0 is 1, as in Python. */
#define snarl_process_executor_map(executor, task, arguments, count, chunk, results, timeout)                          \
  snarl_process_executor_map_at((executor), (task), (arguments), (count), (chunk), (results), (timeout), SNARL_HERE)
int snarl_process_executor_map_at(snarl_process_executor *executor, snarl_process_task *task,
                                  const snarl_any *arguments, size_t count, size_t chunk, snarl_any *results,
                                  snarl_time timeout, struct snarl_site *site);
/* No more tasks; those submitted are done, unless `cancel_futures`, which cancels those that have not begun. `wait`:
 * comes back when all workers have ended. SNARL_OK, also the second time and by several threads at once; SNARL_DEADLOCK
 * (in a callback), SNARL_FORKED. */
#define snarl_process_executor_shutdown(executor, wait, cancel_futures)                                                \
  snarl_process_executor_shutdown_at((executor), (wait), (cancel_futures), SNARL_HERE)
int snarl_process_executor_shutdown_at(snarl_process_executor *executor, bool wait, bool cancel_futures,
                                       struct snarl_site *site);
/* Shuts down, waits, and ends the object. SNARL_OK, SNARL_DEADLOCK; in the child of a fork SNARL_OK at once. */
#define snarl_process_executor_destroy(executor) snarl_process_executor_destroy_at((executor), SNARL_HERE)
int snarl_process_executor_destroy_at(snarl_process_executor *executor, struct snarl_site *site);
void snarli_process_executor_left(snarl_process_executor *executor);
#define snarl_auto_process_executor __attribute__((cleanup(snarli_process_executor_left))) snarl_process_executor

/* As snarl_pool_worker_pid. */
int snarl_process_executor_worker_pid(const snarl_process_executor *executor, unsigned worker);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
