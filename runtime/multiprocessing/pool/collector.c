/* SPDX-License-Identifier: MIT
 *
 * The thread of a pool that collects: it begins with the workers, takes what they have done, completes futures and runs
 * their callbacks, and sleeps when there is nothing to do until a worker, a caller or a death wakes it. It does not end
 * before the workers have.
 */
#include "core/system.h"
#include "process_pool.h"
#include <limits.h>
#include <sched.h>

enum { BATCH = 32, ROUNDS = 64 };

static __thread const struct snarli_process_pool *own_pool __attribute__((tls_model("initial-exec")));

bool snarli_pool_is_collector(const struct snarli_process_pool *pool) { return own_pool == pool; }

/* One slot that a worker is through with. */
static void take(struct snarli_process_pool *pool, uint32_t number) {
  struct snarli_slot *slot = snarli_slot_at(pool->ring, number);
  struct snarli_job *job = &pool->jobs[number];
  if (snarli_slot_phase(snarli_load64(&slot->state)) == SNARLI_SLOT_DONE)
    snarli_work_take(job->work, job->chunk, slot, &pool->incoming);
  if (slot->has_place)
    snarli_place_free(pool->ring, slot->place, slot->size);
  if (job->size)
    snarli_place_free(pool->ring, job->place, job->size);
}

bool snarli_pool_collect_done(struct snarli_process_pool *pool) {
  uint32_t at = snarli_tasks_collect(pool->ring), numbers[BATCH];
  struct snarli_work *works[BATCH];
  bool has_any = at;
  while (at) {
    uint32_t count = 0;
    for (; at && count < BATCH; count++) {
      numbers[count] = at - 1;
      works[count] = pool->jobs[at - 1].work;
      at = snarli_slot_at(pool->ring, at - 1)->next;
      take(pool, numbers[count]);
    }
    snarli_guard(&pool->guard);
    for (uint32_t i = 0; i < count; i++)
      snarli_pool_slot_free(pool, numbers[i]);
    snarli_pool_pump(pool);
    snarli_unguard(&pool->guard);
    for (uint32_t i = 0; i < count; i++)
      snarli_work_drop(works[i]);
  }
  return has_any;
}

/* The guard is not held. Nothing is left to do and nothing will come. */
static bool is_finished(struct snarli_process_pool *pool) {
  snarli_guard(&pool->guard);
  bool is = pool->is_closed && !pool->backlog && pool->free_count == pool->ring->slots;
  snarli_unguard(&pool->guard);
  return is;
}

/* Somebody wants it terminated. */
static bool has_order(struct snarli_process_pool *pool) {
  snarli_guard(&pool->guard);
  bool has = pool->is_to_end;
  snarli_unguard(&pool->guard);
  return has;
}

static void note(const struct snarli_process_pool *pool, enum snarli_record_type type) {
  if (snarli_records())
    snarli_record_aux(type, 0, snarli_address(pool->ring), 0);
}

/* Until there is something to collect, an order or a death. */
static void rest(struct snarli_process_pool *pool) {
  struct snarli_task_ring *ring = pool->ring;
  snarli_spin(&ring->done, 0);
  (void)sched_yield(); /* the workers go on on this processor, which is cheaper than a sleep each time */
  if (snarli_load(&ring->done))
    return;
  (void)snarli_swap(&ring->collector_sleeps, 1);
  if (!snarli_load(&ring->done) && !has_order(pool) && !is_finished(pool)) {
    note(pool, SNARLI_R_EXECUTOR_COLLECTS);
    snarli_workers_tend(pool, SNARLI_NEVER);
  }
  snarli_store(&ring->collector_sleeps, 0);
}

static void terminate(struct snarli_process_pool *pool) {
  struct snarl_error error = {.code = SNARL_CANCELLED, .message = "the pool was terminated while it ran the task"};
  snarli_guard(&pool->guard);
  bool is_dropping = pool->is_dropping;
  pool->is_to_end = false;
  snarli_unguard(&pool->guard);
  uint32_t dropped = snarli_pool_end_waiting(pool, NULL);
  snarli_workers_end(pool, true);
  dropped += snarli_pool_end_claimed(pool, &error, false);
  if (dropped && is_dropping && snarli_records())
    snarli_record_aux(SNARLI_R_EXECUTOR_DROPPED, dropped < UINT8_MAX ? dropped : UINT8_MAX, snarli_address(pool->ring),
                      snarli_place(pool->site));
}

static int begin(struct snarli_process_pool *pool) {
  int status = SNARL_OK;
  for (unsigned i = 0; i < pool->options.workers && !status; i++)
    status = snarli_worker_start(pool, i);
  if (status)
    snarli_workers_end(pool, true);
  return status;
}

static void set_state(struct snarli_process_pool *pool, enum snarli_pool_state state) {
  snarli_store(&pool->state, state);
  snarli_unpark(&pool->state, INT_MAX);
}

static void work(struct snarli_process_pool *pool) {
  for (unsigned rounds = 1; !is_finished(pool); rounds++)
    if (has_order(pool))
      terminate(pool);
    else if (!snarli_pool_collect_done(pool))
      rest(pool);
    else if (rounds % ROUNDS == 0)
      snarli_workers_tend(pool, SNARLI_PAST);
  snarli_store(&pool->ring->is_over, 1);
  snarli_tasks_wake(pool->ring, true);
  snarli_workers_end(pool, false);
}

void *snarli_pool_collect(void *argument) {
  struct snarli_process_pool *pool = argument;
  own_pool = pool;
  pool->status = begin(pool);
  if (pool->status) {
    set_state(pool, SNARLI_POOL_IS_OVER);
    return NULL;
  }
  set_state(pool, SNARLI_POOL_WORKS);
  work(pool);
  set_state(pool, SNARLI_POOL_IS_OVER);
  return NULL;
}
