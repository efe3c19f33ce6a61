/* SPDX-License-Identifier: MIT
 *
 * Giving work to Pool and ProcessPoolExecutor (see submit.h).
 */
#include "submit.h"
#include <stdlib.h>
#include <string.h>

int snarli_pool_object_begin(void *memory, uint32_t alive, const char *name, const struct snarl_pool_options *options,
                             struct snarl_site *site) {
  struct snarli_pool_object *object = memory;
  if (!object)
    return snarli_refuse(SNARL_INVALID, object, site);
  *object = (struct snarli_pool_object){
      .object = {.name = name, .announced = 1, .kind = alive}}; /* the trace knows its memory */
  int status = snarli_pool_begin(&object->pool, alive, name, options, site);
  if (status)
    object->object.kind = 0; /* its block may end with nothing in it */
  return status == SNARL_INVALID ? snarli_refuse(status, object, site) : status;
}

int snarli_pool_of(const void *memory, uint32_t alive, struct snarli_process_pool **pool, struct snarl_site *site) {
  const struct snarli_pool_object *object = memory;
  int status = snarli_check(&object->object, alive, site);
  if (status)
    return status;
  *pool = object->pool;
  return __builtin_expect(snarli_pool_is_here(*pool), 1) ? SNARL_OK : snarli_refuse(SNARL_FORKED, object, site);
}

void snarli_pool_object_end(void *memory) {
  struct snarli_pool_object *object = memory;
  snarli_object_end(&object->object);
  snarli_pool_unref(object->pool);
  object->pool = NULL;
}

void snarli_pool_note_closed(struct snarli_process_pool *pool, struct snarl_site *site) {
  if (snarli_records())
    snarli_record_aux(SNARLI_R_EXECUTOR_SHUT_DOWN, 0, snarli_address(pool->ring), snarli_place(site));
}

static int add_callbacks(struct snarli_work *work, const struct snarl_pool_callbacks *callbacks) {
  if (!callbacks)
    return SNARL_OK;
  work->callbacks = malloc(sizeof *callbacks);
  if (!work->callbacks)
    return SNARL_NO_MEMORY;
  memcpy(work->callbacks, callbacks, sizeof *callbacks);
  return SNARL_OK;
}

int snarli_submit_one(struct snarli_process_pool *pool, snarl_process_task *task, snarl_any argument,
                      const struct snarl_pool_callbacks *callbacks, snarl_future **future, struct snarl_site *site) {
  int status = snarl_any_status(argument);
  if (!task)
    status = snarli_refuse(SNARL_INVALID, task, site);
  if (status) {
    snarl_any_drop(&argument);
    return status;
  }
  struct snarli_work *work = snarli_work_new(pool, task, argument);
  status = work ? add_callbacks(work, callbacks) : SNARL_NO_MEMORY;
  if (!status)
    status = snarli_pool_submit(pool, work, site);
  if (!status && future)
    *future = &work->future;
  else if (work)
    snarli_work_drop(work);
  return status;
}

int snarli_submit_map(struct snarli_process_pool *pool, snarl_process_task *task, const snarl_any *arguments,
                      size_t count, size_t chunk, bool owns, bool is_list, const struct snarl_pool_callbacks *callbacks,
                      struct snarli_work **made, struct snarl_site *site) {
  if (!task || (count && !arguments) || chunk > UINT32_MAX / 2 || count / chunk >= UINT32_MAX / 2)
    return snarli_refuse(SNARL_INVALID, arguments, site);
  for (size_t i = 0; i < count; i++)
    if (snarl_any_is_error(arguments[i]))
      return snarl_any_status(arguments[i]);
  struct snarli_work *work = snarli_work_new_map(pool, task, arguments, count, chunk, owns);
  int status = work ? add_callbacks(work, callbacks) : SNARL_NO_MEMORY;
  if (!status)
    work->map->is_list = is_list;
  if (!status)
    status = snarli_pool_submit(pool, work, site);
  if (!status && !count)
    snarli_work_finish_empty(work);
  if (!status)
    *made = work;
  else if (work)
    snarli_work_drop(work);
  return status;
}

static void move_results(struct snarli_map *map, snarl_any *results) {
  memcpy(results, map->values, map->count * sizeof *results);
  memset(map->values, 0, map->count * sizeof *results);
}

int snarli_submit_and_await(struct snarli_process_pool *pool, snarl_process_task *task, const snarl_any *arguments,
                            size_t count, size_t chunk, snarl_any *results, snarl_time timeout,
                            struct snarl_site *site) {
  if (count && !results)
    return snarli_refuse(SNARL_INVALID, results, site);
  if (snarli_pool_is_collector(pool))
    return snarli_refuse(SNARL_DEADLOCK, pool, site);
  struct snarli_work *work = NULL;
  int status = snarli_submit_map(pool, task, arguments, count, chunk, false, false, NULL, &work, site);
  if (count)
    memset(results, 0, count * sizeof *results);
  if (status)
    return status;
  status = snarl_future_result_at(&work->future, timeout, NULL, site);
  if (status == SNARL_TIMEOUT)
    snarli_pool_abandon(pool, work); /* the arguments are the caller's again */
  else if (count)
    move_results(work->map, results);
  snarli_work_drop(work);
  return status;
}
