/* SPDX-License-Identifier: MIT
 *
 * The executor: a chain of futures and threads that run them, started as tasks come. A pool lives until its object is
 * destroyed; one that is left open is shut down at exit. Entered by any thread.
 */
#include "core/eventcount.h"
#include "core/self.h"
#include "future.h"
#include "threading/chain.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <snarl/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { NAME = 48 };

struct worker {
  snarl_thread thread;
  struct snarli_pool *pool;
  struct worker *next;
  char name[NAME];
};

struct snarli_pool {
  struct snarli_kept kept; /* a submit whose task is over may still be looking for idle workers */
  struct snarl_executor_options options;
  char prefix[NAME - sizeof "-4294967295"];
  snarl_executor *executor;
  struct snarli_chain *tasks;
  uint32_t forks;               /* of the process it lives in */
  uint32_t guard;               /* of what follows */
  uint32_t started;             /* threads that run tasks, or did so until it was closed */
  unsigned names;               /* threads so far */
  struct worker *workers;       /* the newest first; whoever takes one joins it */
  uint32_t unjoined;            /* those, and those that are being joined */
  LIST_ENTRY(snarli_pool) link; /* among the open ones */
  bool is_open;
  uint32_t is_exiting;                         /* the exit of the program is shutting it down */
  _Alignas(128) struct snarli_eventcount work; /* idle workers sleep here */
};

static __thread struct snarli_pool *own_pool __attribute__((tls_model("initial-exec")));
static __thread snarl_future *own_future __attribute__((tls_model("initial-exec")));

static uint32_t open_guard;
static LIST_HEAD(, snarli_pool) open_pools = LIST_HEAD_INITIALIZER(open_pools);

unsigned snarli_executor_workers(const snarl_executor *executor) { return executor->pool->options.workers; }

static unsigned default_workers(void) {
  cpu_set_t set;
  unsigned processors = sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
  return processors + 4 < 32 ? processors + 4 : 32;
}

/* The next task; NULL: no more will come. */
static snarl_future *next_task(struct snarli_pool *pool) {
  void *future = NULL;
  for (;;) {
    const uint32_t *puts = snarli_lower_half(&pool->tasks->puts);
    uint32_t seen = snarli_load(puts);
    int status = snarli_chain_get(pool->tasks, &future);
    if (status != SNARLI_WOULD_WAIT)
      return status ? NULL : future;
    snarli_spin(puts, seen);
    (void)sched_yield(); /* who submits more on this processor goes on, which is cheaper than a sleep each time */
    if (snarli_load(puts) != seen)
      continue;
    uint32_t key = snarli_eventcount_announce(&pool->work);
    status = snarli_chain_get(pool->tasks, &future);
    if (status == SNARLI_WOULD_WAIT && snarli_records())
      snarli_note(SNARLI_R_EXECUTOR_IDLE, 0, &pool->executor->object, NULL);
    if (status == SNARLI_WOULD_WAIT && snarli_eventcount_sleep(&pool->work, key, SNARLI_NEVER))
      continue;
    snarli_eventcount_leave(&pool->work, key);
    if (status != SNARLI_WOULD_WAIT)
      return status ? NULL : future;
  }
}

static int start_worker(struct snarli_pool *pool, struct snarl_site *site);

static void close_pool(struct snarli_pool *pool, bool cancel_futures);

/* In this process there are the pool's threads. */
static bool is_here(const struct snarli_pool *pool) { return pool->forks == snarli_forks; }

/* A task, a callback or the initializer ended its thread: the thread's work goes on in another. Not so where an
 * initializer may end one after the other. An executor without threads is of no use: nobody shall wait for it. */
static void worker_left(void *context) {
  struct snarli_pool *pool = context;
  if (!is_here(pool))
    return;
  bool has_task = own_future != NULL;
  if (has_task)
    snarli_future_abandon(own_future);
  own_future = NULL;
  snarli_guard(&pool->guard);
  snarli_store(&pool->started, pool->started - 1);
  bool is_useless = (!has_task || start_worker(pool, NULL)) && !pool->started;
  snarli_unguard(&pool->guard);
  if (is_useless)
    close_pool(pool, true);
}

static void *work(void *argument) {
  struct worker *worker = argument;
  struct snarli_pool *pool = own_pool = worker->pool;
  pthread_cleanup_push(worker_left, pool);
  if (pool->options.initializer)
    pool->options.initializer(pool->options.initializer_context);
  if (snarli_records())
    snarli_note(SNARLI_R_EXECUTOR_WORKER, 0, &pool->executor->object, NULL);
  while (is_here(pool) && (own_future = next_task(pool))) /* a task that forked may return twice */
    snarli_future_run(own_future);
  pthread_cleanup_pop(0);
  return NULL;
}

/* With the guard held. */
static int start_worker(struct snarli_pool *pool, struct snarl_site *site) {
  struct worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    return SNARL_NO_MEMORY;
  worker->pool = pool;
  snprintf(worker->name, sizeof worker->name, "%s-%u", pool->prefix, pool->names);
  int status = snarl_thread_init_at(&worker->thread, worker->name, work, worker, site);
  snarl_thread_set_daemon(&worker->thread, true); /* what is left at exit is shut down there */
  snarl_thread_set_stack_size(&worker->thread, pool->options.stack_size);
  if (!status)
    status = snarl_thread_start_at(&worker->thread, site);
  if (status) {
    free(worker);
    return status;
  }
  worker->next = pool->workers;
  pool->workers = worker;
  snarli_store(&pool->started, pool->started + 1);
  (void)snarli_add(&pool->unjoined, 1);
  pool->names++;
  return SNARL_OK;
}

/* One more thread unless an idle one will take the task. Only the first is needed for certain. */
static SNARLI_COLD int add_worker(struct snarli_pool *pool, struct snarl_site *site) {
  snarli_guard(&pool->guard);
  int status = SNARL_OK;
  if (pool->started < pool->options.workers)
    status = start_worker(pool, site);
  if (pool->started)
    status = SNARL_OK;
  snarli_unguard(&pool->guard);
  return status;
}

static inline bool wants_worker(struct snarli_pool *pool) {
  return snarli_load(&pool->started) < pool->options.workers && !snarli_eventcount_has_sleepers(&pool->work);
}

static inline int pool_of(snarl_executor *executor, struct snarli_pool **pool, struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)executor, SNARLI_ALIVE(EXECUTOR), site);
  if (__builtin_expect(status, 0))
    return status;
  *pool = executor->pool;
  return __builtin_expect(is_here(*pool), 1) ? SNARL_OK : snarli_refuse(SNARL_FORKED, executor, site);
}

static SNARLI_COLD void note_submit(snarl_executor *executor, snarl_future *future, struct snarl_site *site) {
  snarli_note(SNARLI_R_EXECUTOR_CHOSEN, 0, &executor->object, site);
  snarli_record_aux(SNARLI_R_FUTURE_SUBMITTED, 0, snarli_address(future), snarli_place(site));
}

int snarl_executor_submit_at(snarl_executor *executor, snarl_task *task, void *argument, snarl_future **future,
                             struct snarl_site *site) {
  struct snarli_pool *pool = NULL;
  int status = pool_of(executor, &pool, site);
  if (__builtin_expect(status || !task, 0))
    return status ? status : snarli_refuse(SNARL_INVALID, executor, site);
  snarl_future *made = snarli_future_new(task, argument, future ? 2 : 1);
  if (__builtin_expect(!made, 0))
    return SNARL_NO_MEMORY;
  if (wants_worker(pool))
    status = snarli_load(&pool->tasks->is_closed) ? SNARL_CLOSED : add_worker(pool, site);
  if (!status && snarli_records())
    note_submit(executor, made, site);
  if (!status)
    status = snarli_chain_put(pool->tasks, made, NULL, NULL, NULL);
  if (__builtin_expect(status, 0)) {
    made->references = 1;
    snarli_future_unref(made);
    return status;
  }
  snarli_eventcount_notify(&pool->work);
  if (future)
    *future = made;
  return SNARL_OK;
}

/* Cancels what has not begun. */
static void cancel_all(struct snarli_pool *pool) {
  void *future;
  while (snarli_chain_get(pool->tasks, &future) == SNARL_OK) {
    (void)snarl_future_cancel_at(future, NULL);
    snarli_future_unref(future);
  }
}

static void stay_open(struct snarli_pool *pool) {
  snarli_guard(&open_guard);
  LIST_INSERT_HEAD(&open_pools, pool, link);
  pool->is_open = true;
  snarli_unguard(&open_guard);
}

static void stay_open_no_more(struct snarli_pool *pool) {
  snarli_guard(&open_guard);
  if (pool->is_open)
    LIST_REMOVE(pool, link);
  pool->is_open = false;
  snarli_unguard(&open_guard);
}

static struct worker *take_worker(struct snarli_pool *pool) {
  snarli_guard(&pool->guard);
  struct worker *worker = pool->workers;
  if (worker)
    pool->workers = worker->next;
  snarli_unguard(&pool->guard);
  return worker;
}

static void join_worker(struct snarli_pool *pool, struct worker *worker, struct snarl_site *site) {
  (void)snarl_thread_join_at(&worker->thread, SNARL_FOREVER, site);
  free(worker);
  if (snarli_add(&pool->unjoined, UINT32_MAX) == 1)
    snarli_unpark(&pool->unjoined, INT_MAX);
}

/* Waits for the threads: those that are started meanwhile in place of others, and those that another call joins. */
static void join_all(struct snarli_pool *pool, struct snarl_site *site) {
  for (uint32_t unjoined; (unjoined = snarli_load(&pool->unjoined));) {
    struct worker *worker = take_worker(pool);
    if (worker)
      join_worker(pool, worker, site);
    else
      (void)snarli_park(&pool->unjoined, unjoined, SNARLI_NEVER);
  }
}

static void close_pool(struct snarli_pool *pool, bool cancel_futures) {
  (void)snarli_chain_close(pool->tasks);
  if (cancel_futures)
    cancel_all(pool);
  snarli_eventcount_wake(&pool->work, true);
  stay_open_no_more(pool);
}

int snarl_executor_shutdown_at(snarl_executor *executor, bool wait, bool cancel_futures, struct snarl_site *site) {
  struct snarli_pool *pool = NULL;
  int status = pool_of(executor, &pool, site);
  if (status)
    return status;
  if (wait && own_pool == pool)
    return snarli_refuse(SNARL_DEADLOCK, executor, site);
  if (snarli_records())
    snarli_note(SNARLI_R_EXECUTOR_SHUT_DOWN, 0, &executor->object, site);
  close_pool(pool, cancel_futures);
  if (wait)
    join_all(pool, site);
  return SNARL_OK;
}

/* A program that leaves main waits for its tasks, as Python does. */
static void shut_down_open_ones(void) {
  for (;;) {
    snarli_guard(&open_guard);
    struct snarli_pool *pool = LIST_FIRST(&open_pools);
    if (pool)
      snarli_store(&pool->is_exiting, 1);
    snarli_unguard(&open_guard);
    if (!pool)
      return;
    close_pool(pool, false);
    if (own_pool != pool)
      join_all(pool, NULL);
    snarli_store(&pool->is_exiting, 0);
    snarli_unpark(&pool->is_exiting, INT_MAX);
  }
}

/* A fork finds the list whole, and leaves the child none to shut down. */
static void fork_begins(void) { snarli_guard(&open_guard); }
static void fork_is_over(void) { snarli_unguard(&open_guard); }
static void child_begins(void) {
  struct snarli_pool *pool;
  LIST_FOREACH(pool, &open_pools, link)
  pool->is_open = false;
  LIST_INIT(&open_pools);
  open_guard = 0;
}

static pthread_once_t first_use = PTHREAD_ONCE_INIT;
static void prepare_for_ends(void) {
  (void)pthread_atfork(fork_begins, fork_is_over, child_begins);
  (void)atexit(shut_down_open_ones);
}

static struct snarli_kept *kept_pools;

static void pool_free(struct snarli_pool *pool) {
  if (pool->tasks)
    snarli_chain_free(pool->tasks);
  snarli_kept_give(&kept_pools, &pool->kept);
}

/* All but the event count as at first. */
static struct snarli_pool *pool_take(void) {
  struct snarli_pool *pool = (struct snarli_pool *)snarli_kept_take(&kept_pools);
  if (!pool) {
    pool = aligned_alloc(_Alignof(struct snarli_pool), sizeof *pool);
    if (pool)
      pool->work.state = 0;
  }
  if (pool)
    memset(pool, 0, offsetof(struct snarli_pool, work));
  return pool;
}

static struct snarli_pool *pool_new(snarl_executor *executor, const char *name,
                                    const struct snarl_executor_options *options) {
  struct snarli_pool *pool = pool_take();
  if (!pool)
    return NULL;
  pool->executor = executor;
  pool->forks = snarli_forks;
  pool->tasks = snarli_chain_new(UINT64_MAX);
  if (options)
    pool->options = *options;
  if (!pool->options.workers)
    pool->options.workers = default_workers();
  const char *prefix = pool->options.thread_name_prefix ? pool->options.thread_name_prefix : name;
  snprintf(pool->prefix, sizeof pool->prefix, "%s", prefix ? prefix : "worker");
  if (pool->tasks)
    return pool;
  pool_free(pool);
  return NULL;
}

int snarl_executor_init_at(snarl_executor *executor, const char *name, const struct snarl_executor_options *options,
                           struct snarl_site *site) {
  if (executor)
    executor->object.kind = 0; /* its block may end with nothing in it */
  if (!executor || (options && options->workers > INT32_MAX))
    return snarli_refuse(SNARL_INVALID, executor, site);
  executor->pool = pool_new(executor, name, options);
  if (!executor->pool)
    return SNARL_NO_MEMORY;
  (void)pthread_once(&first_use, prepare_for_ends);
  stay_open(executor->pool);
  return snarli_object_begin(&executor->object, SNARLI_ALIVE(EXECUTOR), name, site);
}

/* Waits for who is on the way out of it: a submit, or the program's exit in another thread. */
static void pool_settle(struct snarli_pool *pool) {
  while (snarli_load(&pool->is_exiting))
    (void)snarli_park(&pool->is_exiting, 1, SNARLI_NEVER);
  snarli_chain_settle(pool->tasks);
}

/* In the child of a fork only the memory is given back. */
int snarl_executor_destroy_at(snarl_executor *executor, struct snarl_site *site) {
  int status = snarl_executor_shutdown_at(executor, true, false, site);
  if (status && status != SNARL_FORKED)
    return status;
  if (!status)
    pool_settle(executor->pool);
  snarli_object_end(&executor->object);
  pool_free(executor->pool);
  executor->pool = NULL;
  return SNARL_OK;
}

void snarli_executor_left(snarl_executor *executor) {
  if (executor->object.kind == SNARLI_ALIVE(EXECUTOR))
    (void)snarl_executor_destroy_at(executor, NULL);
}

/* All of them submitted, or none: those that were are cancelled. */
static int submit_all(snarl_executor *executor, snarl_task *task, void *const *arguments, size_t count,
                      snarl_future **futures, struct snarl_site *site) {
  for (size_t i = 0; i < count; i++) {
    int status = snarl_executor_submit_at(executor, task, arguments[i], &futures[i], site);
    if (status) {
      while (i--)
        (void)snarl_future_cancel_at(futures[i], site), snarl_future_drop(futures[i]);
      return status;
    }
  }
  return SNARL_OK;
}

int snarl_executor_map_at(snarl_executor *executor, snarl_task *task, void *const *arguments, size_t count,
                          void **results, snarl_time timeout, struct snarl_site *site) {
  if (!count)
    return SNARL_OK;
  if (!task || !arguments || !results)
    return snarli_refuse(SNARL_INVALID, executor, site);
  snarl_time deadline = snarl_deadline(timeout);
  snarl_future **futures = calloc(count, sizeof *futures);
  int status = futures ? submit_all(executor, task, arguments, count, futures, site) : SNARL_NO_MEMORY;
  bool is_submitted = !status;
  for (size_t i = 0; is_submitted && i < count; i++) {
    results[i] = NULL;
    int one = status == SNARL_TIMEOUT
                  ? SNARL_TIMEOUT
                  : snarl_future_result_at(futures[i], snarl_time_left(deadline), &results[i], site);
    if (one == SNARL_TIMEOUT)
      (void)snarl_future_cancel_at(futures[i], site);
    if (one == SNARL_TIMEOUT || (one && !status))
      status = one == SNARL_CANCELLED ? SNARL_FAILED : one;
    snarl_future_drop(futures[i]);
  }
  free(futures);
  return status;
}
