/* SPDX-License-Identifier: MIT
 *
 * The work of a pool of processes (see work.h): what becomes of its chunks, and what a future of it can tell.
 */
#include "process_pool.h"
#include <stdlib.h>

static const struct snarli_future_kind work_kind;

struct snarli_work *snarli_work_new(struct snarli_process_pool *pool, snarl_process_task *task, snarl_any argument) {
  struct snarli_work *work = malloc(sizeof *work);
  if (!work) {
    snarl_any_drop(&argument);
    return NULL;
  }
  *work = (struct snarli_work){.future = {.references = 1, .kind = &work_kind}, .pool = pool, .task = task};
  work->argument = argument;
  work->future.value = &work->value;
  (void)snarli_add(&pool->references, 1);
  return work;
}

static bool map_keep_arguments(struct snarli_map *map) {
  map->own_arguments = calloc(map->count, sizeof(snarl_any));
  for (size_t i = 0; map->own_arguments && i < map->count; i++) {
    bool may_change = map->arguments[i].type >= SNARL_ANY_LIST;
    map->own_arguments[i] = may_change ? snarl_any_copy(map->arguments[i]) : snarl_any_keep(map->arguments[i]);
  }
  map->arguments = map->own_arguments;
  return map->own_arguments;
}

static struct snarli_map *map_new(const snarl_any *arguments, size_t count, size_t chunk, bool owns) {
  struct snarli_map *map = calloc(1, sizeof *map);
  if (!map)
    return NULL;
  *map = (struct snarli_map){.count = count, .chunk = chunk, .arguments = arguments, .wanted = SNARLI_NO_CHUNK};
  map->chunks = (uint32_t)((count + chunk - 1) / chunk);
  map->values = calloc(count + 1, sizeof *map->values);
  map->order = calloc(map->chunks + 1, sizeof *map->order);
  map->ends = calloc(map->chunks + 1, 1);
  if (map->values && map->order && map->ends && (!owns || !count || map_keep_arguments(map)))
    return map;
  free(map->values);
  free(map->order);
  free(map->ends);
  free(map);
  return NULL;
}

struct snarli_work *snarli_work_new_map(struct snarli_process_pool *pool, snarl_process_task *task,
                                        const snarl_any *arguments, size_t count, size_t chunk, bool owns) {
  struct snarli_map *map = map_new(arguments, count, chunk, owns);
  struct snarli_work *work = map ? snarli_work_new(pool, task, SNARL_NIL) : NULL;
  if (work)
    work->map = map;
  else if (map) {
    for (size_t i = 0; map->own_arguments && i < count; i++)
      snarl_any_drop(&map->own_arguments[i]);
    free(map->own_arguments);
    free(map->values);
    free(map->order);
    free(map->ends);
    free(map);
  }
  return work;
}

static void note(enum snarli_record_type type, unsigned arg, const struct snarli_work *work, uint32_t chunk,
                 struct snarl_site *site) {
  snarli_record_aux(type, arg, snarli_work_address(work, chunk), snarli_place(site));
}

void snarli_work_note_submitted(const struct snarli_work *work, struct snarl_site *site) {
  for (uint32_t chunk = 0; chunk < snarli_work_chunks(work); chunk++) {
    snarli_record_aux(SNARLI_R_EXECUTOR_CHOSEN, 0, snarli_address(work->pool->ring), snarli_place(site));
    note(SNARLI_R_FUTURE_SUBMITTED, 0, work, chunk, site);
  }
}

/* Its value is a list of all. */
static int list_results(struct snarli_work *work) {
  struct snarli_map *map = work->map;
  work->value = snarl_any_list();
  int status = snarl_any_status(work->value);
  for (size_t i = 0; i < map->count && !status; i++) {
    status = snarl_any_list_append(work->value, map->values[i]);
    map->values[i] = SNARL_NIL;
  }
  return status;
}

/* The first of the items' errors, for the future. */
static struct snarl_error *first_error(const struct snarli_map *map) {
  for (size_t i = 0; map->errors && i < map->count; i++)
    if (map->errors[i])
      return snarli_error_copy(map->errors[i]);
  return snarli_error_print(SNARL_NO_MEMORY, "a task failed, and there was no memory to say why");
}

static void call_back(const struct snarli_work *work, enum snarli_future_state state) {
  const struct snarl_pool_callbacks *callbacks = work->callbacks;
  if (state == SNARLI_FINISHED && callbacks->done)
    callbacks->done(work->value, callbacks->context);
  if (state == SNARLI_FAILED && callbacks->failed)
    callbacks->failed(work->future.error, callbacks->context);
}

/* The failure was seen by the callback that is for it. */
static void note_called_back(struct snarli_work *work) {
  if (work->callbacks->failed && snarli_records())
    work_kind.note_return(&work->future, NULL);
}

static void finish(struct snarli_work *work, enum snarli_future_state state) {
  struct snarli_map *map = work->map;
  if (state == SNARLI_FAILED && map)
    work->future.error = first_error(map);
  int status = state == SNARLI_FINISHED && map && map->is_list ? list_results(work) : SNARL_OK;
  if (status) {
    work->future.error = snarli_error_print(status, "the results cannot be a list: %s", snarl_status_text(status));
    state = SNARLI_FAILED;
  }
  if (work->callbacks) {
    if (state == SNARLI_FAILED)
      note_called_back(work);
    call_back(work, state);
  }
  snarli_future_complete(&work->future, state);
}

static void map_chunk_ends(struct snarli_work *work, uint32_t chunk, enum snarli_chunk_end end) {
  struct snarli_map *map = work->map;
  snarli_guard(&map->guard);
  map->ends[chunk] = end;
  map->has_failed |= end == SNARLI_CHUNK_FAILED;
  map->is_cancelled |= end == SNARLI_CHUNK_CANCELLED;
  map->order[map->ended++] = chunk;
  bool is_last = map->ended == map->chunks;
  bool is_wanted = map->wanted == chunk || map->wanted == SNARLI_ANY_CHUNK;
  if (is_wanted)
    map->wanted = SNARLI_NO_CHUNK;
  snarli_unguard(&map->guard);
  if (is_last)
    finish(work, map->has_failed ? SNARLI_FAILED : map->is_cancelled ? SNARLI_CANCELLED : SNARLI_FINISHED);
  if (is_wanted)
    snarli_eventcount_wake(&map->progress, true);
}

void snarli_work_finish_empty(struct snarli_work *work) { finish(work, SNARLI_FINISHED); }

static void chunk_ends(struct snarli_work *work, uint32_t chunk, enum snarli_chunk_end end) {
  static const enum snarli_future_state states[] = {[SNARLI_CHUNK_DONE] = SNARLI_FINISHED,
                                                    [SNARLI_CHUNK_FAILED] = SNARLI_FAILED,
                                                    [SNARLI_CHUNK_CANCELLED] = SNARLI_CANCELLED};
  if (work->map)
    map_chunk_ends(work, chunk, end);
  else
    finish(work, states[end]);
}

/* Keeps an item's error, which is given away. */
static void keep_error(struct snarli_work *work, size_t item, struct snarl_error *error) {
  struct snarli_map *map = work->map;
  if (!map) {
    work->future.error = error;
    return;
  }
  if (!map->errors)
    map->errors = calloc(map->count, sizeof(struct snarl_error *));
  if (map->errors)
    map->errors[item] = error;
  else
    snarli_error_free(error);
}

/* The worker has said it all, or the last word of it is missing. */
void snarli_work_take(struct snarli_work *work, uint32_t chunk, struct snarli_slot *slot,
                      struct snarli_buffer *buffer) {
  size_t first = work->map ? chunk * work->map->chunk : 0;
  snarl_any *values = work->map ? work->map->values : &work->value;
  struct snarli_items items;
  int opened = snarli_items_open(work->pool->ring, slot, &items, buffer);
  bool has_failed = false;
  for (uint32_t i = 0; i < snarli_work_items(work, chunk); i++) {
    struct snarl_error *error = NULL;
    int status = opened ? opened : snarli_items_next(&items, &values[first + i], &error);
    if (status && !error)
      error = snarli_error_print(status, "the result of the task did not arrive: %s", snarl_status_text(status));
    if (error)
      keep_error(work, first + i, error);
    has_failed |= error != NULL;
  }
  chunk_ends(work, chunk, has_failed ? SNARLI_CHUNK_FAILED : SNARLI_CHUNK_DONE);
}

void snarli_work_fail(struct snarli_work *work, uint32_t chunk, const struct snarl_error *error, bool is_failure) {
  size_t first = work->map ? chunk * work->map->chunk : 0;
  for (uint32_t i = 0; i < snarli_work_items(work, chunk); i++)
    keep_error(work, first + i, snarli_error_copy(error));
  if (snarli_records())
    note(SNARLI_R_TASK_ENDED, is_failure, work, chunk, NULL);
  chunk_ends(work, chunk, SNARLI_CHUNK_FAILED);
}

void snarli_work_cancel(struct snarli_work *work, uint32_t chunk) {
  if (snarli_records())
    note(SNARLI_R_FUTURE_CANCELLED, 0, work, chunk, NULL);
  chunk_ends(work, chunk, SNARLI_CHUNK_CANCELLED);
}

enum snarli_chunk_end snarli_map_end(struct snarli_map *map, uint32_t chunk) {
  snarli_guard(&map->guard);
  enum snarli_chunk_end end = (enum snarli_chunk_end)map->ends[chunk];
  snarli_unguard(&map->guard);
  return end;
}

/* `wants`: the caller sleeps for it if it has not. */
static bool has_come(struct snarli_map *map, const uint32_t *chunk, uint32_t ended, bool wants) {
  snarli_guard(&map->guard);
  bool has = chunk ? map->ends[*chunk] != SNARLI_CHUNK_OPEN : map->ended > ended;
  bool is_first = map->wanted == SNARLI_NO_CHUNK || (chunk && map->wanted == *chunk);
  if (!has && wants)
    map->wanted = chunk && is_first ? *chunk : SNARLI_ANY_CHUNK;
  snarli_unguard(&map->guard);
  return has;
}

bool snarli_map_await(struct snarli_map *map, const uint32_t *chunk, uint32_t ended, int64_t deadline) {
  while (!has_come(map, chunk, ended, false)) {
    uint32_t key = snarli_eventcount_announce(&map->progress);
    bool has = has_come(map, chunk, ended, true);
    if (!has && snarli_eventcount_sleep(&map->progress, key, deadline))
      continue;
    snarli_eventcount_leave(&map->progress, key);
    return has || has_come(map, chunk, ended, false);
  }
  return true;
}

static bool take_back(snarl_future *future) {
  struct snarli_work *work = snarli_work_of(future);
  return snarli_pool_is_here(work->pool) && snarli_pool_take_back(work->pool, work);
}

static bool is_begun(const snarl_future *future) {
  const struct snarli_work *work = snarli_work_seen(future);
  return snarli_pool_is_here(work->pool) && snarli_pool_has_begun(work->pool, work);
}

static bool is_mine(const snarl_future *future) { return snarli_pool_is_collector(snarli_work_seen(future)->pool); }

/* In the trace a wait for several chunks is one for the first that has not ended. */
static uint32_t first_open(const struct snarli_work *work) {
  uint32_t chunk = 0;
  while (work->map && chunk + 1 < work->map->chunks && snarli_map_end(work->map, chunk) != SNARLI_CHUNK_OPEN)
    chunk++;
  return chunk;
}

static uint64_t address(const snarl_future *future) {
  const struct snarli_work *work = snarli_work_seen(future);
  return snarli_work_address(work, first_open(work));
}

static void note_return(const snarl_future *future, struct snarl_site *site) {
  const struct snarli_work *work = snarli_work_seen(future);
  bool has_failed = (snarli_load(&future->state) & SNARLI_STATE) == SNARLI_FAILED;
  for (uint32_t chunk = 0; chunk < snarli_work_chunks(work); chunk++)
    note(SNARLI_R_FUTURE_WAIT_RETURNED, has_failed || future->error, work, chunk, site);
}

/* Chunk after chunk, so that a hang names the one that does not end. */
static bool await_recorded(snarl_future *future, snarl_time timeout, struct snarl_site *site) {
  const struct snarli_work *work = snarli_work_seen(future);
  int64_t deadline = snarli_deadline(timeout);
  for (uint32_t chunk = 0; timeout > 0 && chunk < snarli_work_chunks(work); chunk++) {
    if (work->map ? snarli_map_end(work->map, chunk) != SNARLI_CHUNK_OPEN : snarl_future_done(future))
      continue;
    note(SNARLI_R_FUTURE_WAIT_REQUESTED, snarli_flags(timeout), work, chunk, site);
    if (work->map ? snarli_map_await(work->map, &chunk, 0, deadline) : snarli_future_await(future, deadline))
      continue;
    note(SNARLI_R_FUTURE_WAIT_FAILED, (unsigned)snarli_errno_of(SNARL_TIMEOUT), work, chunk, site);
    return false;
  }
  bool is_done = snarli_future_await(future, deadline); /* its callbacks come after the last chunk */
  if (is_done)
    note_return(future, site);
  return is_done;
}

static void map_end(struct snarli_map *map) {
  for (size_t i = 0; i < map->count; i++) {
    snarl_any_drop(&map->values[i]);
    if (map->own_arguments)
      snarl_any_drop(&map->own_arguments[i]);
    if (map->errors)
      snarli_error_free(map->errors[i]);
  }
  free(map->own_arguments);
  free(map->values);
  free(map->errors);
  free(map->order);
  free(map->ends);
  free(map);
}

static void work_ended(snarl_future *future) {
  struct snarli_work *work = snarli_work_of(future);
  struct snarli_process_pool *pool = work->pool;
  for (uint32_t chunk = 0; work->place && snarli_records() && chunk < snarli_work_chunks(work); chunk++)
    note(SNARLI_R_FUTURE_ENDED, 0, work, chunk, NULL);
  snarl_any_drop(&work->argument);
  snarl_any_drop(&work->value);
  free(work->callbacks);
  if (work->map)
    map_end(work->map);
  snarli_pool_unref(pool);
}

static const struct snarli_future_kind work_kind = {.take_back = take_back,
                                                    .is_begun = is_begun,
                                                    .is_mine = is_mine,
                                                    .address = address,
                                                    .await_recorded = await_recorded,
                                                    .note_return = note_return,
                                                    .end = work_ended};
