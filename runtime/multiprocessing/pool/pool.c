/* SPDX-License-Identifier: MIT
 *
 * Pool: the calls that multiprocessing.Pool has. Entered by any thread.
 */
#include "submit.h"
#include <stdlib.h>

static int pool_of(const snarl_pool *object, struct snarli_process_pool **pool, struct snarl_site *site) {
  return snarli_pool_of(object, SNARLI_ALIVE(POOL), pool, site);
}

int snarl_pool_init_at(snarl_pool *pool, const char *name, const struct snarl_pool_options *options,
                       struct snarl_site *site) {
  return snarli_pool_object_begin(pool, SNARLI_ALIVE(POOL), name, options, site);
}

int snarl_pool_apply_async_at(snarl_pool *object, snarl_process_task *task, snarl_any argument,
                              const struct snarl_pool_callbacks *callbacks, snarl_future **future,
                              struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(object, &pool, site);
  if (!status)
    return snarli_submit_one(pool, task, argument, callbacks, future, site);
  snarl_any_drop(&argument);
  return status;
}

int snarl_pool_apply_at(snarl_pool *object, snarl_process_task *task, snarl_any argument, snarl_any *result,
                        snarl_time timeout, struct snarl_site *site) {
  snarl_auto_future future = NULL;
  void *value = NULL;
  int status = snarl_pool_apply_async_at(object, task, argument, NULL, &future, site);
  if (!status)
    status = snarl_future_result_at(future, timeout, &value, site);
  if (status == SNARL_TIMEOUT)
    (void)snarl_future_cancel_at(future, site);
  if (result)
    *result = value ? snarl_any_keep(*(snarl_any *)value) : SNARL_NIL;
  return status;
}

/* So that each worker gets four, as in Python. */
static size_t chunk_of(const struct snarli_process_pool *pool, size_t count, size_t chunk) {
  size_t parts = (size_t)pool->options.workers * 4;
  if (chunk || !count)
    return chunk ? chunk : 1;
  return (count + parts - 1) / parts;
}

int snarl_pool_map_at(snarl_pool *object, snarl_process_task *task, const snarl_any *arguments, size_t count,
                      size_t chunk, snarl_any *results, snarl_time timeout, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(object, &pool, site);
  return status ? status
                : snarli_submit_and_await(pool, task, arguments, count, chunk_of(pool, count, chunk), results, timeout,
                                          site);
}

int snarl_pool_starmap_at(snarl_pool *object, snarl_process_task *task, const snarl_any *arguments, size_t count,
                          size_t chunk, snarl_any *results, snarl_time timeout, struct snarl_site *site) {
  for (size_t i = 0; arguments && i < count; i++)
    if (!snarl_any_is_list(arguments[i]))
      return snarli_refuse(SNARL_INVALID, object, site);
  return snarl_pool_map_at(object, task, arguments, count, chunk, results, timeout, site);
}

int snarl_pool_map_async_at(snarl_pool *object, snarl_process_task *task, const snarl_any *arguments, size_t count,
                            size_t chunk, const struct snarl_pool_callbacks *callbacks, snarl_future **future,
                            struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  struct snarli_work *work = NULL;
  int status = pool_of(object, &pool, site);
  if (!status)
    status = snarli_submit_map(pool, task, arguments, count, chunk_of(pool, count, chunk), true, true, callbacks, &work,
                               site);
  if (!status && future)
    *future = &work->future;
  else if (!status)
    snarli_work_drop(work);
  return status;
}

int snarl_pool_close_at(snarl_pool *object, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(object, &pool, site);
  if (status)
    return status;
  snarli_pool_note_closed(pool, site);
  snarli_pool_close(pool);
  return SNARL_OK;
}

int snarl_pool_terminate_at(snarl_pool *object, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(object, &pool, site);
  if (status)
    return status;
  snarli_pool_note_closed(pool, site);
  snarli_pool_terminate(pool, false);
  return SNARL_OK;
}

static bool is_closed(struct snarli_process_pool *pool) {
  snarli_guard(&pool->guard);
  bool is = pool->is_closed;
  snarli_unguard(&pool->guard);
  return is;
}

int snarl_pool_join_at(snarl_pool *object, snarl_time timeout, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(object, &pool, site);
  if (status)
    return status;
  if (!is_closed(pool))
    return snarli_refuse(SNARL_STILL_OPEN, object, site);
  return snarli_pool_join(pool, timeout, site);
}

/* `is_dropping`: the program has not asked for its work to be dropped. */
static int destroy(snarl_pool *object, bool is_dropping, struct snarl_site *site) {
  struct snarli_process_pool *pool = NULL;
  int status = pool_of(object, &pool, site);
  if (!status && snarli_pool_is_collector(pool))
    return snarli_refuse(SNARL_DEADLOCK, object, site);
  if (!status && !is_closed(pool)) {
    snarli_pool_note_closed(pool, site);
    snarli_pool_terminate(pool, is_dropping);
  }
  if (!status)
    status = snarli_pool_join(pool, SNARL_FOREVER, site);
  if (status && status != SNARL_FORKED)
    return status;
  snarli_pool_object_end(object);
  return SNARL_OK;
}

int snarl_pool_destroy_at(snarl_pool *object, struct snarl_site *site) { return destroy(object, false, site); }

void snarli_pool_left(snarl_pool *object) {
  if (object->object.kind == SNARLI_ALIVE(POOL))
    (void)destroy(object, true, NULL);
}

int snarl_pool_worker_pid(const snarl_pool *object, unsigned worker) {
  struct snarli_process_pool *pool = NULL;
  if (pool_of(object, &pool, NULL) || worker >= pool->options.workers)
    return 0;
  return (int)snarli_load(&pool->workers[worker].pid);
}
