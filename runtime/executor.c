/* SPDX-License-Identifier: MIT
 *
 * The executor: a chain of futures and threads that run them, started as tasks come. A pool lives until its object is
 * destroyed; one that is left open is shut down at exit. Entered by any thread.
 */
#include "chain.h"
#include "eventcount.h"
#include "future.h"
#include "self.h"
#include <pthread.h>
#include <sched.h>
#include <snarl/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 48 };

struct worker {
  snarl_thread thread;
  struct snarli_pool *pool;
  struct worker *next;
  char name[NAME];
};

struct snarli_pool {
  struct snarl_executor_options options;
  char prefix[NAME - sizeof "-4294967295"];
  snarl_executor *executor;
  struct snarli_chain *tasks;
  uint32_t forks;                              /* of the process it lives in */
  uint32_t guard;                              /* of what follows */
  uint32_t started;                            /* threads that are there, or ended and not replaced */
  unsigned names;                              /* threads so far */
  struct worker *workers;                      /* the newest first; each is joined */
  struct snarli_pool *next, **link;            /* among the open ones */
  _Alignas(128) struct snarli_eventcount work; /* idle workers sleep here */
};

static __thread struct snarli_pool *own_pool __attribute__((tls_model("initial-exec")));
static __thread snarl_future *own_future __attribute__((tls_model("initial-exec")));

static uint32_t open_guard;
static struct snarli_pool *open_pools;

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

static int start_worker(struct snarli_pool *pool);

/* A task ended its thread: the thread's work goes on in another. */
static void worker_left(void *context) {
  struct snarli_pool *pool = context;
  if (!own_future)
    return;
  snarli_future_abandon(own_future);
  own_future = NULL;
  own_pool = NULL;
  snarli_guard(&pool->guard);
  snarli_store(&pool->started, pool->started - 1);
  (void)start_worker(pool);
  snarli_unguard(&pool->guard);
}

static void *work(void *argument) {
  struct worker *worker = argument;
  struct snarli_pool *pool = own_pool = worker->pool;
  if (pool->options.initializer)
    pool->options.initializer(pool->options.initializer_context);
  if (snarli_records())
    snarli_note(SNARLI_R_EXECUTOR_WORKER, 0, &pool->executor->object, NULL);
  pthread_cleanup_push(worker_left, pool);
  while ((own_future = next_task(pool)))
    snarli_future_run(own_future);
  pthread_cleanup_pop(1);
  return NULL;
}

/* With the guard held. */
static int start_worker(struct snarli_pool *pool) {
  struct worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    return SNARL_NO_MEMORY;
  worker->pool = pool;
  snprintf(worker->name, sizeof worker->name, "%s-%u", pool->prefix, pool->names);
  int status = snarl_thread_init(&worker->thread, worker->name, work, worker);
  snarl_thread_set_daemon(&worker->thread, true); /* what is left at exit is shut down there */
  snarl_thread_set_stack_size(&worker->thread, pool->options.stack_size);
  if (!status)
    status = snarl_thread_start(&worker->thread);
  if (status) {
    free(worker);
    return status;
  }
  worker->next = pool->workers;
  pool->workers = worker;
  snarli_store(&pool->started, pool->started + 1);
  pool->names++;
  return SNARL_OK;
}

/* One more thread unless an idle one will take the task. Only the first is needed for certain. */
static SNARLI_COLD int add_worker(struct snarli_pool *pool) {
  snarli_guard(&pool->guard);
  int status = SNARL_OK;
  if (pool->started < pool->options.workers)
    status = start_worker(pool);
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
  return __builtin_expect((*pool)->forks == snarli_forks, 1) ? SNARL_OK : snarli_refuse(SNARL_FORKED, executor, site);
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
    status = snarli_load(&pool->tasks->is_closed) ? SNARL_CLOSED : add_worker(pool);
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
  pool->link = &open_pools;
  pool->next = open_pools;
  if (pool->next)
    pool->next->link = &pool->next;
  open_pools = pool;
  snarli_unguard(&open_guard);
}

static void stay_open_no_more(struct snarli_pool *pool) {
  snarli_guard(&open_guard);
  if (pool->link) {
    *pool->link = pool->next;
    if (pool->next)
      pool->next->link = pool->link;
  }
  pool->link = NULL;
  snarli_unguard(&open_guard);
}

/* Waits for the threads, those included that are started meanwhile in place of others. */
static void join_all(struct snarli_pool *pool, struct snarl_site *site) {
  for (;;) {
    snarli_guard(&pool->guard);
    struct worker *worker = pool->workers;
    snarli_unguard(&pool->guard);
    if (!worker)
      return;
    (void)snarl_thread_join_at(&worker->thread, SNARL_FOREVER, site);
    snarli_guard(&pool->guard);
    struct worker **link = &pool->workers;
    while (*link && *link != worker)
      link = &(*link)->next;
    bool is_ours = *link == worker; /* another shutdown may have been faster */
    if (is_ours)
      *link = worker->next;
    snarli_unguard(&pool->guard);
    if (is_ours)
      free(worker);
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
    struct snarli_pool *pool = open_pools;
    snarli_unguard(&open_guard);
    if (!pool)
      return;
    close_pool(pool, false);
    if (pool->forks == snarli_forks && own_pool != pool)
      join_all(pool, NULL);
  }
}

static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static void await_exit(void) { (void)atexit(shut_down_open_ones); }

static void pool_free(struct snarli_pool *pool) {
  if (pool->tasks)
    snarli_chain_free(pool->tasks);
  free(pool);
}

static struct snarli_pool *pool_new(snarl_executor *executor, const char *name,
                                    const struct snarl_executor_options *options) {
  struct snarli_pool *pool = aligned_alloc(_Alignof(struct snarli_pool), sizeof *pool);
  if (!pool)
    return NULL;
  *pool = (struct snarli_pool){.executor = executor, .forks = snarli_forks, .tasks = snarli_chain_new(UINT64_MAX)};
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
  if (!executor || (options && options->workers > INT32_MAX))
    return snarli_refuse(SNARL_INVALID, executor, site);
  executor->object.kind = 0;
  executor->pool = pool_new(executor, name, options);
  if (!executor->pool)
    return SNARL_NO_MEMORY;
  (void)pthread_once(&exit_once, await_exit);
  stay_open(executor->pool);
  return snarli_object_begin(&executor->object, SNARLI_ALIVE(EXECUTOR), name, site);
}

/* In the child of a fork only the memory is given back. */
int snarl_executor_destroy_at(snarl_executor *executor, struct snarl_site *site) {
  int status = snarl_executor_shutdown_at(executor, true, false, site);
  if (status == SNARL_FORKED)
    stay_open_no_more(executor->pool);
  else if (status)
    return status;
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
