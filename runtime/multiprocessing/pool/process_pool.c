/* SPDX-License-Identifier: MIT
 *
 * A pool's life (see process_pool.h): it is made with its collecting thread, closed, waited for, and given back when
 * nobody has any of its work any more, whose names in the trace are addresses of its memory. Pools that are open at the
 * exit of the program are ended there, and a child of a fork forgets its parent's. Entered by any thread.
 */
#include "process_pool.h"
#include "core/system.h"
#include "exit.h"
#include "threading/timer.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORKERS = UINT16_MAX - SNARLI_RING };

static uint32_t open_guard;
static LIST_HEAD(, snarli_process_pool) open_pools = LIST_HEAD_INITIALIZER(open_pools);

/* Whose worker the calling thread is about to fork. */
static __thread const struct snarli_process_pool *forking __attribute__((tls_model("initial-exec")));
void snarli_pool_starts_worker(const struct snarli_process_pool *pool) { forking = pool; }

static void fork_begins(void) { snarli_guard(&open_guard); }
static void fork_is_over(void) { snarli_unguard(&open_guard); }
/* A child has nothing to do with its parent's pools, but for the one whose worker it is. */
static void child_begins(void) {
  struct snarli_process_pool *pool;
  LIST_FOREACH(pool, &open_pools, link) {
    pool->is_open = false;
    if (pool != forking)
      snarli_tasks_free(pool->ring, pool->mapped, true);
  }
  LIST_INIT(&open_pools);
  open_guard = 0;
}

static pthread_once_t first_use = PTHREAD_ONCE_INIT;
static void prepare_for_forks(void) { (void)pthread_atfork(fork_begins, fork_is_over, child_begins); }

static void stay_open(struct snarli_process_pool *pool) {
  snarli_guard(&open_guard);
  LIST_INSERT_HEAD(&open_pools, pool, link);
  pool->is_open = true;
  snarli_unguard(&open_guard);
}

static void stay_open_no_more(struct snarli_process_pool *pool) {
  snarli_guard(&open_guard);
  if (pool->is_open)
    LIST_REMOVE(pool, link);
  pool->is_open = false;
  snarli_unguard(&open_guard);
}

static void memory_free(struct snarli_process_pool *pool) {
  snarli_buffer_free(&pool->outgoing);
  snarli_buffer_free(&pool->incoming);
  if (pool->broken)
    snarli_error_free(pool->broken);
  free(pool->free_slots);
  free(pool->jobs);
  free(pool->workers);
  free(pool->polled);
  free(pool);
}

void snarli_pool_unref(struct snarli_process_pool *pool) {
  if (snarli_add(&pool->references, UINT32_MAX) != 1)
    return;
  if (snarli_pool_is_here(pool)) {
    stay_open_no_more(pool);
    snarli_tasks_free(pool->ring, pool->mapped, false);
  }
  memory_free(pool);
}

static struct snarli_process_pool *memory_new(const struct snarl_pool_options *options) {
  struct snarli_process_pool *pool = calloc(1, sizeof *pool);
  if (!pool)
    return NULL;
  if (options)
    pool->options = *options;
  if (!pool->options.workers)
    pool->options.workers = (unsigned)snarl_cpu_count();
  unsigned slots = pool->options.workers + SNARLI_RING;
  pool->free_slots = calloc(slots, sizeof *pool->free_slots);
  pool->jobs = calloc(slots, sizeof *pool->jobs);
  pool->workers = calloc(pool->options.workers, sizeof *pool->workers);
  pool->polled = calloc(pool->options.workers + 1, sizeof *pool->polled);
  if (pool->free_slots && pool->jobs && pool->workers && pool->polled)
    return pool;
  memory_free(pool);
  return NULL;
}

static void fill_in(struct snarli_process_pool *pool, uint32_t alive, const char *name, struct snarl_site *site) {
  pool->is_executor = alive == SNARLI_ALIVE(PROCESS_EXECUTOR);
  if (pool->options.on_worker_death == SNARL_WORKER_DEATH_DEFAULT)
    pool->options.on_worker_death = pool->is_executor ? SNARL_BREAK : SNARL_REPLACE;
  (void)snprintf(pool->name, sizeof pool->name, "%s", name ? name : "worker");
  (void)snprintf(pool->thread_name, sizeof pool->thread_name, "%.30s-results", pool->name);
  pool->mapped = snarli_tasks_mapped(pool->ring);
  pool->forks = snarli_forks;
  pool->pid = (int)getpid();
  pool->site = site;
  pool->references = 1;
  pool->turn = 1;
  pool->next_start = SNARLI_NEVER;
  pool->backlog_end = &pool->backlog;
  for (uint32_t i = 0; i < pool->ring->slots; i++)
    pool->free_slots[i] = pool->ring->slots - 1 - i;
  pool->free_count = pool->ring->slots;
  pool->polled[0] = (struct pollfd){.fd = pool->ring->bell, .events = POLLIN};
  for (unsigned i = 1; i <= pool->options.workers; i++)
    pool->polled[i] = (struct pollfd){.fd = -1, .events = POLLIN};
}

/* Its collector forks the workers before this comes back, so that they have what the caller has by now. */
static int start(struct snarli_process_pool *pool, struct snarl_site *site) {
  int status = snarl_thread_init_at(&pool->collector, pool->thread_name, snarli_pool_collect, pool, site);
  if (!status)
    status = snarl_thread_set_daemon(&pool->collector, true); /* what is open at the exit is ended there */
  if (!status)
    status = snarl_thread_start_at(&pool->collector, site);
  if (status)
    return status;
  while (snarli_load(&pool->state) == SNARLI_POOL_BEGINS)
    (void)snarli_park(&pool->state, SNARLI_POOL_BEGINS, SNARLI_NEVER);
  if (pool->status)
    (void)snarl_thread_join_at(&pool->collector, SNARL_FOREVER, site);
  return pool->status;
}

int snarli_pool_begin(struct snarli_process_pool **made, uint32_t alive, const char *name,
                      const struct snarl_pool_options *options, struct snarl_site *site) {
  if (options && (options->workers > MOST_WORKERS || (unsigned)options->on_worker_death > SNARL_BREAK))
    return SNARL_INVALID;
  struct snarli_process_pool *pool = memory_new(options);
  if (!pool)
    return SNARL_NO_MEMORY;
  int status;
  pool->ring = snarli_tasks_new(pool->options.workers, alive, name, &status, site);
  if (!pool->ring) {
    memory_free(pool);
    return status;
  }
  fill_in(pool, alive, name, site);
  if (snarli_records())
    snarli_record_aux(SNARLI_R_EXECUTOR_LIMIT, 0, snarli_address(pool->ring), pool->options.workers);
  (void)pthread_once(&first_use, prepare_for_forks);
  snarli_wait_at_exit();
  stay_open(pool);
  *made = pool; /* the workers know it, too, as one of another process */
  status = start(pool, site);
  if (status && snarli_records())
    snarli_record_aux(SNARLI_R_EXECUTOR_SHUT_DOWN, 0, snarli_address(pool->ring), snarli_place(site));
  if (status)
    snarli_pool_unref(pool);
  return status;
}

void snarli_pool_close(struct snarli_process_pool *pool) {
  snarli_guard(&pool->guard);
  pool->is_closed = true;
  snarli_unguard(&pool->guard);
  snarli_tasks_call(pool->ring);
}

void snarli_pool_terminate(struct snarli_process_pool *pool, bool is_dropping) {
  snarli_guard(&pool->guard);
  pool->is_closed = pool->is_to_end = true;
  pool->is_dropping |= is_dropping;
  snarli_unguard(&pool->guard);
  snarli_tasks_call(pool->ring);
}

int snarli_pool_join(struct snarli_process_pool *pool, snarl_time timeout, struct snarl_site *site) {
  return snarl_thread_join_at(&pool->collector, timeout, site);
}

/* One more reference, unless the last one has been given back. */
static bool try_keep(struct snarli_process_pool *pool) {
  uint32_t references = snarli_load(&pool->references);
  while (references)
    if (snarli_cas(&pool->references, &references, references + 1))
      return true;
  return false;
}

/* An open one, with a reference. */
static struct snarli_process_pool *next_open(void) {
  snarli_guard(&open_guard);
  struct snarli_process_pool *pool = LIST_FIRST(&open_pools);
  while (pool && (pool->is_exiting || !try_keep(pool)))
    pool = LIST_NEXT(pool, link);
  if (pool)
    pool->is_exiting = true;
  snarli_unguard(&open_guard);
  return pool;
}

static void end_at_exit(struct snarli_process_pool *pool) {
  snarli_guard(&pool->guard);
  bool was_closed = pool->is_closed;
  snarli_unguard(&pool->guard);
  if (pool->is_executor || was_closed)
    snarli_pool_close(pool);
  else
    snarli_pool_terminate(pool, true);
  (void)snarli_pool_join(pool, SNARL_FOREVER, SNARL_HERE);
}

/* A callback that calls exit is in the thread that all else would wait for. */
void snarli_pools_at_exit(void) {
  for (struct snarli_process_pool *pool; (pool = next_open());) {
    if (snarli_pool_is_collector(pool))
      snarli_workers_end(pool, true);
    else
      end_at_exit(pool);
    snarli_pool_unref(pool);
  }
}
