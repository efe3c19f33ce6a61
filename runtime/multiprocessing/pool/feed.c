/* SPDX-License-Identifier: MIT
 *
 * How work comes to the workers of a pool: whoever submits fills free slots as long as there are any; what has to wait
 * stands in the backlog, in order, and the collecting thread sends it on. And how it is taken back. Entered by any
 * thread; the pool's guard protects slots, jobs and backlog.
 */
#include "process_pool.h"

/* Into a free slot, which there is. With the guard held. */
static int send(struct snarli_process_pool *pool, struct snarli_work *work, uint32_t chunk, uint32_t number) {
  struct snarli_slot *slot = snarli_slot_at(pool->ring, number);
  const struct snarli_map *map = work->map;
  slot->task = work->task;
  slot->count = snarli_work_items(work, chunk);
  slot->ticket = work->ticket + chunk;
  slot->at = slot->has_place = 0;
  int status = snarli_arguments_write(pool->ring, slot, map ? map->arguments + chunk * map->chunk : &work->argument,
                                      slot->count, &pool->outgoing);
  struct snarli_job *job = &pool->jobs[number];
  *job = (struct snarli_job){work, chunk, slot->has_place ? slot->place : 0, slot->has_place ? slot->size : 0};
  slot->has_place = 0;
  if (!map)
    work->slot = number + 1;
  return status;
}

static bool has_room(const struct snarli_process_pool *pool) {
  return pool->free_count && snarli_tasks_has_room(pool->ring, pool->turn);
}

/* With a reference for the slot. */
static void offer(struct snarli_process_pool *pool, uint32_t number) {
  pool->free_count--;
  (void)snarli_tasks_offer(pool->ring, pool->turn++, number);
}

/* It cannot be sent: that is its result. */
static void offer_failure(struct snarli_process_pool *pool, uint32_t number, int status) {
  struct snarli_slot *slot = snarli_slot_at(pool->ring, number);
  pool->free_count--;
  snarli_results_fail(slot, status);
  snarli_store64(&slot->state, snarli_slot_state(0, 0, SNARLI_SLOT_CLAIMED));
  snarli_slot_done(pool->ring, slot);
}

static void backlog_add(struct snarli_process_pool *pool, struct snarli_work *work) {
  work->next = NULL;
  work->link = pool->backlog_end;
  *pool->backlog_end = work;
  pool->backlog_end = &work->next;
}

static void backlog_remove(struct snarli_process_pool *pool, struct snarli_work *work) {
  *work->link = work->next;
  if (work->next)
    work->next->link = work->link;
  else
    pool->backlog_end = work->link;
  work->link = NULL;
}

/* The next chunk of the first in the backlog, which leaves it with its last one; true: that was the last. */
static bool take_chunk(struct snarli_work *work, uint32_t *chunk) {
  *chunk = work->map ? work->map->sent++ : 0;
  return *chunk + 1 == snarli_work_chunks(work);
}

void snarli_pool_pump(struct snarli_process_pool *pool) {
  uint32_t sent = 0;
  for (; pool->backlog && has_room(pool); sent++) {
    struct snarli_work *work = snarli_work_keep(pool->backlog);
    uint32_t chunk, number = pool->free_slots[pool->free_count - 1];
    bool is_last = take_chunk(work, &chunk);
    int status = send(pool, work, chunk, number);
    if (status)
      offer_failure(pool, number, status);
    else
      offer(pool, number);
    if (!is_last)
      continue;
    backlog_remove(pool, work);
    snarli_work_drop(work); /* not the last reference */
  }
  for (; sent && snarli_eventcount_has_sleepers(&pool->ring->work); sent--)
    snarli_tasks_wake(pool->ring, false);
}

void snarli_pool_slot_free(struct snarli_process_pool *pool, uint32_t slot) {
  pool->jobs[slot].work = NULL;
  snarli_store64(&snarli_slot_at(pool->ring, slot)->state, SNARLI_SLOT_FREE);
  pool->free_slots[pool->free_count++] = slot;
}

/* With the guard held. */
static int give_to_backlog(struct snarli_process_pool *pool, struct snarli_work *work) {
  if (work->argument.type >= SNARL_ANY_LIST) { /* others who hold it may change it */
    snarl_any copy = snarl_any_copy(work->argument);
    snarl_any_drop(&work->argument);
    work->argument = copy;
  }
  int status = snarl_any_status(work->argument);
  if (!status)
    backlog_add(pool, snarli_work_keep(work));
  return status;
}

static int give(struct snarli_process_pool *pool, struct snarli_work *work) {
  if (pool->broken)
    return SNARL_BROKEN_POOL;
  if (pool->is_closed)
    return SNARL_CLOSED;
  if (!snarli_work_chunks(work))
    return SNARL_OK;
  if (work->map || pool->backlog || !has_room(pool)) {
    int status = give_to_backlog(pool, work);
    snarli_pool_pump(pool);
    return status;
  }
  uint32_t number = pool->free_slots[pool->free_count - 1];
  int status = send(pool, work, 0, number);
  if (status) {
    const struct snarli_job *job = &pool->jobs[number];
    if (job->size)
      snarli_place_free(pool->ring, job->place, job->size);
    pool->jobs[number].work = NULL;
    work->slot = 0;
    return status;
  }
  (void)snarli_work_keep(work);
  offer(pool, number);
  snarli_tasks_notify(pool->ring);
  return SNARL_OK;
}

int snarli_pool_submit(struct snarli_process_pool *pool, struct snarli_work *work, struct snarl_site *site) {
  if (snarli_records()) {
    work->ticket = snarli_add(&pool->tickets, snarli_work_chunks(work));
    work->ticket_mask = pool->ring->ticket_mask;
    work->place = snarli_ticket_address(pool->ring, 0);
    snarli_work_note_submitted(work, site);
  }
  snarli_guard(&pool->guard);
  int status = give(pool, work);
  snarli_unguard(&pool->guard);
  return status;
}

/* The slot is this work's. With the guard held. */
static struct snarli_slot *slot_of(struct snarli_process_pool *pool, const struct snarli_work *work) {
  bool has = work->slot && pool->jobs[work->slot - 1].work == work;
  return has ? snarli_slot_at(pool->ring, work->slot - 1) : NULL;
}

bool snarli_pool_has_begun(struct snarli_process_pool *pool, const struct snarli_work *work) {
  snarli_guard(&pool->guard);
  struct snarli_slot *slot = slot_of(pool, work);
  bool has_begun =
      work->map ? work->map->sent > 0 : slot && snarli_slot_phase(snarli_load64(&slot->state)) >= SNARLI_SLOT_CLAIMED;
  snarli_unguard(&pool->guard);
  return has_begun;
}

bool snarli_pool_take_back(struct snarli_process_pool *pool, struct snarli_work *work) {
  if (work->map)
    return false;
  snarli_guard(&pool->guard);
  bool was_waiting = work->link;
  struct snarli_slot *slot = slot_of(pool, work);
  bool is_taken = was_waiting || (slot && snarli_slot_take_back(slot));
  if (was_waiting)
    backlog_remove(pool, work);
  snarli_unguard(&pool->guard);
  if (was_waiting)
    snarli_work_drop(work); /* the caller has another */
  return is_taken;
}

/* A chunk that has not begun, of `of` or of any work, which is kept for the caller; NULL: there is none. `slot`: where
 * to look on. */
static struct snarli_work *take_one(struct snarli_process_pool *pool, const struct snarli_work *of, uint32_t *slot,
                                    uint32_t *chunk) {
  struct snarli_work *taken = NULL;
  snarli_guard(&pool->guard);
  struct snarli_work *waiting = pool->backlog;
  while (of && waiting && waiting != of)
    waiting = waiting->next;
  if (waiting) {
    taken = snarli_work_keep(waiting);
    if (take_chunk(waiting, chunk)) {
      backlog_remove(pool, waiting);
      snarli_work_drop(waiting);
    }
  }
  for (; !taken && *slot < pool->ring->slots; ++*slot) {
    struct snarli_job *job = &pool->jobs[*slot];
    if (job->work && (!of || job->work == of) && snarli_slot_take_back(snarli_slot_at(pool->ring, *slot))) {
      taken = snarli_work_keep(job->work);
      *chunk = job->chunk;
    }
  }
  snarli_unguard(&pool->guard);
  return taken;
}

static uint32_t end_all(struct snarli_process_pool *pool, const struct snarli_work *of,
                        const struct snarl_error *error) {
  uint32_t slot = 0, chunk, count = 0;
  for (struct snarli_work *work; (work = take_one(pool, of, &slot, &chunk)); count++) {
    if (error)
      snarli_work_fail(work, chunk, error, true);
    else
      snarli_work_cancel(work, chunk);
    snarli_work_drop(work);
  }
  return count;
}

void snarli_pool_abandon(struct snarli_process_pool *pool, struct snarli_work *work) {
  (void)end_all(pool, work, NULL);
}
uint32_t snarli_pool_end_waiting(struct snarli_process_pool *pool, const struct snarl_error *error) {
  return end_all(pool, NULL, error);
}
