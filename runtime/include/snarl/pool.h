/* SPDX-License-Identifier: MIT
 *
 * Pool: worker processes that run tasks, as Python's multiprocessing.Pool. Arguments and results are anys, which are
 * copied between the processes; the result of apply_async is a Future, whose value is a `snarl_any *` that belongs to
 * it.
 *
 *   snarl_any square(snarl_any number) { return snarl_any_int(snarl_any_as_int(number) * snarl_any_as_int(number)); }
 *
 *   snarl_auto_pool pool;
 *   snarl_pool_init(&pool, "pool", NULL);
 *   snarl_pool_map(&pool, square, numbers, COUNT, 0, squares, SNARL_FOREVER);
 *
 * The workers are forks, made at init whatever the start method is: they have what the program had in memory then.
 * Whatever is loaded, opened or changed later is not there. A worker that takes the place of another is forked when
 * that one has ended, while other threads run: what they hold at that moment (a lock of the program's own) stays held
 * in it, so tasks should need nothing of that kind. What libsnarl and the C library have for themselves is whole in it.
 * A task gets its argument lent and gives its result away. It fails by snarl_fail; an item of a map fails for itself,
 * the others go on.
 *
 * A worker that dies (a signal, exit in a task): the chunk that it had fails with the code SNARL_WORKER_DIED and a
 * message that names the worker, its end and the item; another worker takes its place and all else goes on. Nothing
 * runs twice, and a result that was sent is kept. With SNARL_BREAK the pool breaks instead, as Python's executor does:
 * all that is not done fails with the code SNARL_BROKEN_POOL, which also answers what is submitted then. A pool also
 * breaks when an initializer fails or its worker ends in it, or when there is no worker left and none can be made.
 *
 * The end of a snarl_auto_pool's block terminates it, as Python's `with` does: what has not begun is cancelled, what
 * runs is ended and has failed with the code SNARL_CANCELLED. Work that was dropped so is told by the analyzer
 * (task-leak). To have it done: snarl_pool_close, snarl_pool_join. A pool that is left open is terminated at the exit.
 *
 * Any thread may call any function; callbacks run in the thread that collects the results, which they must not end. In
 * a child of a fork, and so in tasks, all calls answer SNARL_FORKED. Begin a snarl_auto_pool in the line after its
 * declaration: the end of the block looks at it. The object may be destroyed when no other thread is about to use it.
 */
#ifndef SNARL_POOL_H
#define SNARL_POOL_H

#include <snarl/any.h>
#include <snarl/future.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_process_pool;

typedef struct snarl_pool {
  struct snarl_object object;
  struct snarli_process_pool *pool;
} snarl_pool;

typedef snarl_any snarl_process_task(snarl_any argument);

/* What a worker's death means. The default: SNARL_REPLACE of a pool, SNARL_BREAK of an executor. */
enum snarl_worker_death { SNARL_WORKER_DEATH_DEFAULT, SNARL_REPLACE, SNARL_BREAK };

/* For pools and process executors. */
struct snarl_pool_options {
  unsigned workers;                   /* processes; 0: as many as the system has processors */
  void (*initializer)(void *context); /* called first in each of them; may snarl_fail */
  void *initializer_context;
  unsigned max_tasks_per_child; /* so many chunks later another one takes its place; 0: never */
  enum snarl_worker_death on_worker_death;
};

/* `options` NULL: all defaults. SNARL_OK, SNARL_INVALID, SNARL_NO_MEMORY, SNARL_NO_PROCESS, SNARL_NO_THREAD,
 * SNARL_NO_DESCRIPTOR, SNARL_DAEMON (a daemon, and so a task of a pool, may have no processes). */
#define snarl_pool_init(pool, name, options) snarl_pool_init_at((pool), (name), (options), SNARL_HERE)
int snarl_pool_init_at(snarl_pool *pool, const char *name, const struct snarl_pool_options *options,
                       struct snarl_site *site);

/* Called in the collecting thread with the result, which is lent, or the error. */
struct snarl_pool_callbacks {
  void (*done)(snarl_any result, void *context);
  void (*failed)(const struct snarl_error *error, void *context);
  void *context;
};

/* One task. `argument` is given away, also when the call fails. `callbacks` NULL: none. `future` receives one that the
 * caller gives back with snarl_future_drop; NULL: nobody wants to know. It can be cancelled until it has begun.
 * SNARL_OK, SNARL_CLOSED, SNARL_BROKEN_POOL, SNARL_NO_MEMORY, SNARL_FORKED, or the status of an argument that is an
 * error; with all but the first the task will not run and `future` stays as it was. */
#define snarl_pool_apply_async(pool, task, argument, callbacks, future)                                                \
  snarl_pool_apply_async_at((pool), (task), (argument), (callbacks), (future), SNARL_HERE)
int snarl_pool_apply_async_at(snarl_pool *pool, snarl_process_task *task, snarl_any argument,
                              const struct snarl_pool_callbacks *callbacks, snarl_future **future,
                              struct snarl_site *site);
/* And waits for it: the result is the caller's then. Also SNARL_TIMEOUT (a task that has not begun is cancelled),
 * SNARL_FAILED, SNARL_CANCELLED, SNARL_DEADLOCK (in a callback). */
#define snarl_pool_apply(pool, task, argument, result, timeout)                                                        \
  snarl_pool_apply_at((pool), (task), (argument), (result), (timeout), SNARL_HERE)
int snarl_pool_apply_at(snarl_pool *pool, snarl_process_task *task, snarl_any argument, snarl_any *result,
                        snarl_time timeout, struct snarl_site *site);

/* Runs the task on each argument, which stay the caller's, and waits for all: results[i] is that of arguments[i], nil
 * if it failed, and the caller's. A worker takes `chunk` arguments at once; 0: so many that each gets four chunks.
 * SNARL_OK, SNARL_FAILED (of one of them), SNARL_TIMEOUT (what has not begun is cancelled, and all results are nil),
 * and what apply answers. */
#define snarl_pool_map(pool, task, arguments, count, chunk, results, timeout)                                          \
  snarl_pool_map_at((pool), (task), (arguments), (count), (chunk), (results), (timeout), SNARL_HERE)
int snarl_pool_map_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                      size_t chunk, snarl_any *results, snarl_time timeout, struct snarl_site *site);
/* The same for arguments that are all lists, of a task that takes several values. */
#define snarl_pool_starmap(pool, task, arguments, count, chunk, results, timeout)                                      \
  snarl_pool_starmap_at((pool), (task), (arguments), (count), (chunk), (results), (timeout), SNARL_HERE)
int snarl_pool_starmap_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                          size_t chunk, snarl_any *results, snarl_time timeout, struct snarl_site *site);
/* Without waiting: the future's value is a list of the results; if one fails, the future does, with the error of the
 * first one in the arguments' order. */
#define snarl_pool_map_async(pool, task, arguments, count, chunk, callbacks, future)                                   \
  snarl_pool_map_async_at((pool), (task), (arguments), (count), (chunk), (callbacks), (future), SNARL_HERE)
int snarl_pool_map_async_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                            size_t chunk, const struct snarl_pool_callbacks *callbacks, snarl_future **future,
                            struct snarl_site *site);

/* The results one after another while others are still worked on, in the order of the arguments or of their ends:
 *
 *   snarl_auto_pool_results results = NULL;
 *   snarl_pool_imap(&pool, task, arguments, count, 1, &results);
 *   while (snarl_pool_results_next(results, SNARL_FOREVER, &result) == SNARL_OK) ...
 *
 * imap: as apply_async; `chunk` 0 is 1. next: SNARL_OK and a result that is the caller's, SNARL_FAILED (of this one:
 * snarl_pool_results_error until the next call), SNARL_CANCELLED (of this one, by terminate), SNARL_TIMEOUT,
 * SNARL_CLOSED (that were all), SNARL_DEADLOCK. One thread at a time. Dropped before the end, the rest is done for
 * nobody. */
typedef struct snarl_pool_results snarl_pool_results;
#define snarl_pool_imap(pool, task, arguments, count, chunk, results)                                                  \
  snarl_pool_imap_at((pool), (task), (arguments), (count), (chunk), (results), SNARL_HERE)
#define snarl_pool_imap_unordered(pool, task, arguments, count, chunk, results)                                        \
  snarl_pool_imap_unordered_at((pool), (task), (arguments), (count), (chunk), (results), SNARL_HERE)
#define snarl_pool_results_next(results, timeout, result)                                                              \
  snarl_pool_results_next_at((results), (timeout), (result), SNARL_HERE)
int snarl_pool_imap_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                       size_t chunk, snarl_pool_results **results, struct snarl_site *site);
int snarl_pool_imap_unordered_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                                 size_t chunk, snarl_pool_results **results, struct snarl_site *site);
int snarl_pool_results_next_at(snarl_pool_results *results, snarl_time timeout, snarl_any *result,
                               struct snarl_site *site);
const struct snarl_error *snarl_pool_results_error(const snarl_pool_results *results);
void snarl_pool_results_drop(snarl_pool_results *results);
void snarli_pool_results_left(snarl_pool_results **results);
#define snarl_auto_pool_results __attribute__((cleanup(snarli_pool_results_left))) snarl_pool_results *

/* No more work; what was submitted is done. SNARL_OK, also the second time; SNARL_FORKED. */
#define snarl_pool_close(pool) snarl_pool_close_at((pool), SNARL_HERE)
int snarl_pool_close_at(snarl_pool *pool, struct snarl_site *site);
/* No more work, and what is not done is dropped: the workers get SIGTERM, and SIGKILL a second later. Comes back at
 * once. */
#define snarl_pool_terminate(pool) snarl_pool_terminate_at((pool), SNARL_HERE)
int snarl_pool_terminate_at(snarl_pool *pool, struct snarl_site *site);
/* Waits for the workers' end after one of the two. SNARL_OK, SNARL_TIMEOUT, SNARL_STILL_OPEN, SNARL_DEADLOCK (in a
 * callback), SNARL_FORKED. */
#define snarl_pool_join(pool, timeout) snarl_pool_join_at((pool), (timeout), SNARL_HERE)
int snarl_pool_join_at(snarl_pool *pool, snarl_time timeout, struct snarl_site *site);
/* Terminates it unless that or close was called, waits, and ends the object. SNARL_OK, SNARL_DEADLOCK; in the child of
 * a fork SNARL_OK at once. */
#define snarl_pool_destroy(pool) snarl_pool_destroy_at((pool), SNARL_HERE)
int snarl_pool_destroy_at(snarl_pool *pool, struct snarl_site *site);
void snarli_pool_left(snarl_pool *pool);
#define snarl_auto_pool __attribute__((cleanup(snarli_pool_left))) snarl_pool

/* The process of the worker with this number, 0 and so on; 0: there is none now. For tests and monitors. */
int snarl_pool_worker_pid(const snarl_pool *pool, unsigned worker);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
