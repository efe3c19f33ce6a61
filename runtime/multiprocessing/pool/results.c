/* SPDX-License-Identifier: MIT
 *
 * imap and imap_unordered: the results of a map one after another, chunk by chunk in the order of the arguments or of
 * the chunks' ends. Entered by one thread at a time.
 */
#include "submit.h"
#include <stdlib.h>

struct snarl_pool_results {
  struct snarli_work *work;
  bool is_unordered;
  uint32_t chunks; /* through with so many */
  uint32_t chunk;  /* this one is being handed out */
  bool has_chunk;
  uint32_t item; /* of it */
  const struct snarl_error *error;
};

static int results_new(snarl_pool *object, snarl_process_task *task, const snarl_any *arguments, size_t count,
                       size_t chunk, bool is_unordered, snarl_pool_results **made, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = snarli_pool_of(object, SNARLI_ALIVE(POOL), &pool, site);
  if (!status && !made)
    status = snarli_refuse(SNARL_INVALID, object, site);
  if (status)
    return status;
  snarl_pool_results *results = calloc(1, sizeof *results);
  if (!results)
    return SNARL_NO_MEMORY;
  results->is_unordered = is_unordered;
  status = snarli_submit_map(pool, task, arguments, count, chunk ? chunk : 1, true, false, NULL, &results->work, site);
  if (status)
    free(results);
  else
    *made = results;
  return status;
}

int snarl_pool_imap_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                       size_t chunk, snarl_pool_results **results, struct snarl_site *site) {
  return results_new(pool, task, arguments, count, chunk, false, results, site);
}

int snarl_pool_imap_unordered_at(snarl_pool *pool, snarl_process_task *task, const snarl_any *arguments, size_t count,
                                 size_t chunk, snarl_pool_results **results, struct snarl_site *site) {
  return results_new(pool, task, arguments, count, chunk, true, results, site);
}

static void note(const snarl_pool_results *results, enum snarli_record_type type, unsigned arg, uint32_t chunk,
                 struct snarl_site *site) {
  if (snarli_records())
    snarli_record_aux(type, arg, snarli_work_address(results->work, chunk), snarli_place(site));
}

/* Of the next chunk by the arguments' order, or the first that has not ended. */
static uint32_t chunk_awaited(snarl_pool_results *results) {
  struct snarli_map *map = results->work->map;
  uint32_t chunk = results->chunks;
  if (results->is_unordered)
    for (chunk = 0; chunk + 1 < map->chunks && snarli_map_end(map, chunk) != SNARLI_CHUNK_OPEN;)
      chunk++;
  return chunk;
}

static bool has_come(snarl_pool_results *results, int64_t deadline) {
  uint32_t next = results->chunks;
  return snarli_map_await(results->work->map, results->is_unordered ? NULL : &next, next, deadline);
}

static bool await(snarl_pool_results *results, snarl_time timeout, struct snarl_site *site) {
  if (has_come(results, SNARLI_PAST))
    return true;
  uint32_t awaited = timeout > 0 && snarli_records() ? chunk_awaited(results) : 0;
  if (timeout > 0)
    note(results, SNARLI_R_FUTURE_WAIT_REQUESTED, snarli_flags(timeout), awaited, site);
  bool has = has_come(results, snarli_deadline(timeout));
  if (timeout > 0)
    note(results, has ? SNARLI_R_FUTURE_WAIT_RETURNED : SNARLI_R_FUTURE_WAIT_FAILED,
         has ? 0 : (unsigned)snarli_errno_of(SNARL_TIMEOUT), awaited, site);
  return has;
}

/* A chunk that has ended is the current one now. */
static void begin_chunk(snarl_pool_results *results, struct snarl_site *site) {
  struct snarli_map *map = results->work->map;
  snarli_guard(&map->guard);
  results->chunk = results->is_unordered ? map->order[results->chunks] : results->chunks;
  bool has_failed = map->ends[results->chunk] == SNARLI_CHUNK_FAILED;
  snarli_unguard(&map->guard);
  results->has_chunk = true;
  results->item = 0;
  note(results, SNARLI_R_FUTURE_WAIT_RETURNED, has_failed, results->chunk, site);
}

static int hand_out(snarl_pool_results *results, snarl_any *result) {
  struct snarli_map *map = results->work->map;
  size_t item = results->chunk * map->chunk + results->item++;
  bool is_cancelled = snarli_map_end(map, results->chunk) == SNARLI_CHUNK_CANCELLED;
  if (results->item == snarli_work_items(results->work, results->chunk)) {
    results->has_chunk = false;
    results->chunks++;
  }
  *result = map->values[item];
  map->values[item] = SNARL_NIL;
  results->error = map->errors ? map->errors[item] : NULL;
  return is_cancelled ? SNARL_CANCELLED : results->error ? SNARL_FAILED : SNARL_OK;
}

int snarl_pool_results_next_at(snarl_pool_results *results, snarl_time timeout, snarl_any *result,
                               struct snarl_site *site) {
  if (!results || !result)
    return snarli_refuse(SNARL_INVALID, results, site);
  *result = SNARL_NIL;
  results->error = NULL;
  if (results->chunks == results->work->map->chunks)
    return SNARL_CLOSED;
  if (!results->has_chunk) {
    if (snarli_pool_is_collector(results->work->pool) && !has_come(results, SNARLI_PAST))
      return snarli_refuse(SNARL_DEADLOCK, results, site);
    if (!await(results, timeout, site))
      return SNARL_TIMEOUT;
    begin_chunk(results, site);
  }
  return hand_out(results, result);
}

const struct snarl_error *snarl_pool_results_error(const snarl_pool_results *results) {
  return results ? results->error : NULL;
}

void snarl_pool_results_drop(snarl_pool_results *results) {
  if (!results)
    return;
  snarli_work_drop(results->work);
  free(results);
}

void snarli_pool_results_left(snarl_pool_results **results) { snarl_pool_results_drop(*results); }
