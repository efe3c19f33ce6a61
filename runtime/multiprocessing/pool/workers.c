/* SPDX-License-Identifier: MIT
 *
 * The worker processes of a pool, from outside: started, watched, found dead, ended. What a dead one had in hand stands
 * in the slots; no other worker has touched it. Entered by the collecting thread.
 */
#include "core/system.h"
#include "process_pool.h"
#include <stdio.h>
#include <string.h>

/* A second, in which a task may clean up on SIGTERM; and how long to wait before a start that failed is tried again. */
#define GRACE SNARL_S(1)
#define RETRY SNARL_MS(100)

/* One without an initializer that is lost before its first task may have been killed by chance; so many one after
 * another were not. And how often to try where no worker is left. */
enum { MOST_LOST_BEGINS = 64, MOST_FAILED_STARTS = 5 };

int snarli_worker_start(struct snarli_process_pool *pool, unsigned number) {
  struct snarli_worker *worker = &pool->workers[number];
  struct snarli_worker_page *page = snarli_worker_page(pool->ring, number);
  page->phase = SNARLI_WORKER_BEGINS;
  page->reason[0] = 0;
  worker->pool = pool;
  worker->number = number;
  (void)snprintf(worker->name, sizeof worker->name, "%s-%u", pool->name, number);
  int status = snarl_process_init_run_at(&worker->process, worker->name, snarli_worker_run, pool->site);
  if (!status)
    status = snarl_process_set_start(&worker->process, SNARL_START_FORK); /* tasks are addresses */
  if (!status)
    status = snarl_process_set_daemon(&worker->process, !pool->is_executor);
  snarli_pool_starts_worker(pool);
  if (!status)
    status = snarl_process_start_at(&worker->process, pool->site);
  snarli_pool_starts_worker(NULL);
  if (status)
    return status;
  pool->polled[number + 1].fd = snarl_process_sentinel(&worker->process);
  worker->is_there = true;
  snarli_store(&worker->pid, (uint32_t)snarl_process_pid(&worker->process));
  return SNARL_OK;
}

/* It has ended. Its exit code. */
static int reap(struct snarli_process_pool *pool, struct snarli_worker *worker) {
  (void)snarl_process_join_at(&worker->process, SNARL_FOREVER, pool->site);
  pool->polled[worker->number + 1].fd = -1;
  worker->is_there = false;
  snarli_store(&worker->pid, 0);
  return snarl_process_exit_code(&worker->process);
}

static bool has_ended(struct snarli_worker *worker, snarl_time timeout) {
  struct pollfd sentinel = {.fd = snarl_process_sentinel(&worker->process), .events = POLLIN};
  return sentinel.fd < 0 || snarli_poll(&sentinel, 1, snarli_deadline(timeout)) != 0;
}

void snarli_workers_end(struct snarli_process_pool *pool, bool is_forced) {
  for (unsigned i = 0; is_forced && i < pool->options.workers; i++)
    if (pool->workers[i].is_there)
      (void)snarl_process_terminate_at(&pool->workers[i].process, pool->site);
  snarl_time deadline = snarl_deadline(GRACE);
  for (unsigned i = 0; i < pool->options.workers; i++) {
    struct snarli_worker *worker = &pool->workers[i];
    if (!worker->is_there)
      continue;
    if (is_forced && !has_ended(worker, snarl_time_left(deadline)))
      (void)snarl_process_kill_at(&worker->process, pool->site);
    (void)reap(pool, worker);
  }
  (void)snarli_pool_collect_done(pool); /* what they have sent is kept */
}

/* Gives a slot of a dead worker to the collector. */
static void give_back(struct snarli_process_pool *pool, struct snarli_slot *slot, uint64_t state) {
  if (snarli_slot_phase(state) == SNARLI_SLOT_CLAIMED) /* its chunk has ended */
    snarli_store64(&slot->state, state - SNARLI_SLOT_CLAIMED + SNARLI_SLOT_PASSED);
  snarli_slot_done(pool->ring, slot);
}

/* The slots that a worker, which has ended, has claimed and not given to the collector, `*at` and on; NULL: none. All
 * that it did give has been collected. */
static struct snarli_slot *next_left(struct snarli_process_pool *pool, unsigned worker, uint32_t *at, uint64_t *state) {
  for (; *at < pool->ring->slots; ++*at) {
    struct snarli_slot *slot = snarli_slot_at(pool->ring, *at);
    *state = snarli_load64(&slot->state);
    if (snarli_slot_phase(*state) >= SNARLI_SLOT_CLAIMED && snarli_slot_worker(*state) == worker)
      return slot;
  }
  return NULL;
}

uint32_t snarli_pool_end_claimed(struct snarli_process_pool *pool, const struct snarl_error *error, bool is_failure) {
  uint32_t count = 0;
  for (uint32_t at = 0; at < pool->ring->slots; at++) {
    struct snarli_slot *slot = snarli_slot_at(pool->ring, at);
    uint64_t state = snarli_load64(&slot->state);
    if (snarli_slot_phase(state) == SNARLI_SLOT_CLAIMED) {
      snarli_work_fail(pool->jobs[at].work, pool->jobs[at].chunk, error, is_failure);
      count++;
    }
    if (snarli_slot_phase(state) == SNARLI_SLOT_TAKEN_BACK)
      snarli_store64(&slot->state, state - SNARLI_SLOT_TAKEN_BACK + SNARLI_SLOT_PASSED);
    if (state)
      give_back(pool, slot, snarli_load64(&slot->state));
  }
  (void)snarli_pool_collect_done(pool);
  return count;
}

/* "was killed by signal 9 (Killed)" */
static void say_end(char *text, size_t size, int code) {
  if (code == SNARL_EXIT_NONE)
    (void)snprintf(text, size, "ended");
  else if (code < 0)
    (void)snprintf(text, size, "was killed by signal %d (%s)", -code, strsignal(-code));
  else
    (void)snprintf(text, size, "ended by itself with exit code %d", code);
}

/* What it had, in words. */
static void say_task(char *text, size_t size, const struct snarli_process_pool *pool, const struct snarli_slot *slot,
                     const struct snarli_job *job) {
  if (!job || !job->work->map)
    (void)snprintf(text, size, job ? " in its task" : " between two tasks");
  else
    (void)snprintf(text, size, " at item %zu of a map", job->chunk * job->work->map->chunk + slot->at);
  (void)pool;
}

/* No worker will come any more: all that is left fails, and what comes is refused. */
static void break_pool(struct snarli_process_pool *pool, struct snarl_error *error) {
  snarli_guard(&pool->guard);
  pool->broken = error;
  snarli_unguard(&pool->guard);
  snarli_workers_end(pool, true);
  (void)snarli_pool_end_waiting(pool, error);
  (void)snarli_pool_end_claimed(pool, error, true);
}

/* No worker gets to work: another one would not either. */
static void begin_failed(struct snarli_process_pool *pool, const struct snarli_worker *worker, int pid, int exit_code) {
  const struct snarli_worker_page *page = snarli_worker_page(pool->ring, worker->number);
  char end[80];
  say_end(end, sizeof end, exit_code);
  break_pool(pool,
             page->reason[0]
                 ? snarli_error_print(SNARL_BROKEN_POOL, "the initializer of worker %s (%d) failed with code %d: %.*s",
                                      worker->name, pid, page->code, SNARLI_REASON, page->reason)
                 : snarli_error_print(SNARL_BROKEN_POOL, "worker %s (%d) %s in its initializer or before", worker->name,
                                      pid, end));
}

static void died(struct snarli_process_pool *pool, const struct snarli_worker *worker, int pid, int exit_code,
                 struct snarli_slot *slot) {
  const struct snarli_job *job = slot ? &pool->jobs[slot - snarli_slot_at(pool->ring, 0)] : NULL;
  bool breaks = pool->options.on_worker_death == SNARL_BREAK;
  char end[80], task[60];
  say_end(end, sizeof end, exit_code);
  say_task(task, sizeof task, pool, slot, job);
  struct snarl_error *error = snarli_error_print(breaks ? SNARL_BROKEN_POOL : SNARL_WORKER_DIED, "worker %s (%d) %s%s",
                                                 worker->name, pid, end, task);
  if (breaks) {
    break_pool(pool, error);
    return;
  }
  if (job)
    snarli_work_fail(job->work, job->chunk, error, true);
  if (slot)
    give_back(pool, slot, snarli_load64(&slot->state));
  snarli_error_free(error);
}

/* What it was through with, and the task that it was at, if any. */
static struct snarli_slot *sort_left(struct snarli_process_pool *pool, unsigned worker) {
  struct snarli_slot *victim = NULL, *slot;
  uint64_t state;
  for (uint32_t at = 0; (slot = next_left(pool, worker, &at, &state)); at++)
    if (snarli_slot_phase(state) == SNARLI_SLOT_CLAIMED)
      victim = slot;
    else
      give_back(pool, slot, state);
  (void)snarli_pool_collect_done(pool);
  return victim;
}

static void worker_ended(struct snarli_process_pool *pool, struct snarli_worker *worker) {
  int pid = snarl_process_pid(&worker->process), exit_code = reap(pool, worker);
  (void)snarli_pool_collect_done(pool);
  struct snarli_slot *victim = sort_left(pool, worker->number);
  uint32_t phase = snarli_load(&snarli_worker_page(pool->ring, worker->number)->phase);
  pool->lost_begins = phase == SNARLI_WORKER_BEGINS ? pool->lost_begins + 1 : 0;
  if (pool->lost_begins > (pool->options.initializer ? 0 : MOST_LOST_BEGINS))
    begin_failed(pool, worker, pid, exit_code);
  else if (victim || phase != SNARLI_WORKER_LEAVES)
    died(pool, worker, pid, exit_code, victim);
}

/* Others in the places of those that have ended. */
static void replace(struct snarli_process_pool *pool) {
  unsigned there = 0;
  int status = SNARL_OK;
  pool->next_start = SNARLI_NEVER;
  for (unsigned i = 0; i < pool->options.workers; i++) {
    if (!pool->workers[i].is_there && !status)
      status = snarli_worker_start(pool, i);
    there += pool->workers[i].is_there;
  }
  if (status)
    pool->next_start = snarli_deadline(RETRY);
  pool->failed_starts = status ? pool->failed_starts + 1 : 0;
  if (!there && pool->failed_starts >= MOST_FAILED_STARTS)
    break_pool(pool, snarli_error_print(SNARL_BROKEN_POOL, "there is no worker left and none can be made: %s",
                                        snarl_status_text(status)));
}

static bool is_broken(struct snarli_process_pool *pool) {
  snarli_guard(&pool->guard);
  bool is = pool->broken || pool->is_to_end;
  snarli_unguard(&pool->guard);
  return is;
}

void snarli_workers_tend(struct snarli_process_pool *pool, int64_t deadline) {
  int64_t until = deadline < pool->next_start ? deadline : pool->next_start;
  long ready = snarli_poll(pool->polled, pool->options.workers + 1, until);
  bool has_ended = false;
  uint64_t count;
  if (deadline > 0 && snarli_records())
    snarli_record_aux(SNARLI_R_EXECUTOR_COLLECTED, 0, snarli_address(pool->ring), 0);
  if (ready > 0 && pool->polled[0].revents)
    (void)snarli_system(SYS_read, pool->ring->bell, &count, sizeof count);
  for (unsigned i = 0; ready > 0 && i < pool->options.workers; i++)
    if (pool->workers[i].is_there && pool->polled[i + 1].revents) {
      worker_ended(pool, &pool->workers[i]);
      has_ended = true;
    }
  if ((has_ended || (!ready && until == pool->next_start)) && !is_broken(pool))
    replace(pool);
}
