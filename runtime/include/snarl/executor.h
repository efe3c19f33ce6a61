/* SPDX-License-Identifier: MIT
 *
 * ThreadPoolExecutor: threads that run tasks in the order of submission, each with a Future.
 *
 *   snarl_auto_executor pool;
 *   snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 4});
 *   snarl_executor_submit(&pool, fetch, url, &future);
 *
 * Threads are started as tasks come, up to the number of workers. The end of the block shuts the executor down and
 * waits for all tasks, as Python's `with` does; an executor that is left open is shut down when the program exits. In
 * the child of a fork the threads are missing: every call answers SNARL_FORKED there.
 *
 * A task that waits for a task of its own executor waits for ever when all workers do so: the analyzer tells that as
 * pool-starvation. A task that ends its thread (pthread_exit) has failed; another thread takes its place. An executor
 * whose last thread cannot be replaced, or was ended by the initializer, closes itself and cancels what has not begun.
 *
 * Any thread may call any function, tasks and callbacks included. Begin a snarl_auto_executor in the line after its
 * declaration: the end of the block looks at it. The object may be destroyed when no other thread is about to use it.
 */
#ifndef SNARL_EXECUTOR_H
#define SNARL_EXECUTOR_H

#include <snarl/future.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_pool;

typedef struct snarl_executor {
  struct snarl_object object;
  struct snarli_pool *pool;
} snarl_executor;

struct snarl_executor_options {
  unsigned workers;                   /* 0: processors + 4, at most 32, as in Python */
  const char *thread_name_prefix;     /* NULL: the executor's name */
  void (*initializer)(void *context); /* called first in each of its threads */
  void *initializer_context;
  size_t stack_size; /* 0: the system's choice */
};

typedef void *snarl_task(void *argument);

/* `options` NULL: all defaults. SNARL_OK, SNARL_INVALID, SNARL_NO_MEMORY. */
#define snarl_executor_init(executor, name, options) snarl_executor_init_at((executor), (name), (options), SNARL_HERE)
int snarl_executor_init_at(snarl_executor *executor, const char *name, const struct snarl_executor_options *options,
                           struct snarl_site *site);

/* `future` receives one that the caller gives back with snarl_future_drop; NULL: nobody wants to know. `argument` is
 * the task's to use until it is done. SNARL_OK, SNARL_CLOSED (shut down), SNARL_NO_MEMORY, SNARL_NO_THREAD (there is
 * none and none can be started), SNARL_FORKED; with all but the first the task will not run and `future` stays as it
 * was. */
#define snarl_executor_submit(executor, task, argument, future)                                                        \
  snarl_executor_submit_at((executor), (task), (argument), (future), SNARL_HERE)
int snarl_executor_submit_at(snarl_executor *executor, snarl_task *task, void *argument, snarl_future **future,
                             struct snarl_site *site);

/* Runs the task on each argument and waits for all: results[i] is that of arguments[i], NULL if it failed. SNARL_OK,
 * SNARL_TIMEOUT (tasks that have not begun are cancelled; those that run go on), SNARL_FAILED (of one of them), and
 * what submit answers. */
#define snarl_executor_map(executor, task, arguments, count, results, timeout)                                         \
  snarl_executor_map_at((executor), (task), (arguments), (count), (results), (timeout), SNARL_HERE)
int snarl_executor_map_at(snarl_executor *executor, snarl_task *task, void *const *arguments, size_t count,
                          void **results, snarl_time timeout, struct snarl_site *site);

/* No more tasks; those submitted are done unless `cancel_futures`. `wait`: comes back when all threads have ended.
 * SNARL_OK, also the second time and by several threads at once; SNARL_DEADLOCK: a task of the executor wants to wait
 * for itself; SNARL_FORKED. */
#define snarl_executor_shutdown(executor, wait, cancel_futures)                                                        \
  snarl_executor_shutdown_at((executor), (wait), (cancel_futures), SNARL_HERE)
int snarl_executor_shutdown_at(snarl_executor *executor, bool wait, bool cancel_futures, struct snarl_site *site);
/* Shuts down, waits, and ends the object. SNARL_OK, SNARL_DEADLOCK; in the child of a fork SNARL_OK at once. */
#define snarl_executor_destroy(executor) snarl_executor_destroy_at((executor), SNARL_HERE)
int snarl_executor_destroy_at(snarl_executor *executor, struct snarl_site *site);
void snarli_executor_left(snarl_executor *executor);
#define snarl_auto_executor __attribute__((cleanup(snarli_executor_left))) snarl_executor

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
