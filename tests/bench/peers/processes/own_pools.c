/* SPDX-License-Identifier: MIT
 *
 * The same tasks by libsnarl's Pool, by map and imap, and by its ProcessPoolExecutor. The thread that collects results
 * runs where the one that submits does.
 */
#include "pools.h"
#include <snarl/snarl.h>
#include <stdlib.h>

static snarl_pool pool;
static snarl_process_executor executor;

static snarl_any empty(snarl_any number) { return snarl_any_int(empty_task(snarl_any_as_int(number))); }
static snarl_any millisecond(snarl_any number) { return snarl_any_int(long_task(snarl_any_as_int(number))); }

static void place_next(void *begun) { place_worker(1 + (*(_Atomic int *)begun)++); }

static struct snarl_pool_options options(void) {
  return (struct snarl_pool_options){
      .workers = POOL_WORKERS, .initializer = place_next, .initializer_context = shared->room};
}
static void open_pool(int worker) {
  struct snarl_pool_options wanted = options();
  (void)worker;
  must(snarl_pool_init(&pool, "pool", &wanted) == SNARL_OK, "snarl_pool_init");
}
static void close_pool(int worker) {
  (void)worker;
  must(snarl_pool_close(&pool) == SNARL_OK && snarl_pool_join(&pool, SNARL_FOREVER) == SNARL_OK, "snarl_pool_join");
  must(snarl_pool_destroy(&pool) == SNARL_OK, "snarl_pool_destroy");
}
static void open_executor(int worker) {
  struct snarl_pool_options wanted = options();
  (void)worker;
  must(snarl_process_executor_init(&executor, "executor", &wanted) == SNARL_OK, "snarl_process_executor_init");
}
static void close_executor(int worker) {
  (void)worker;
  must(snarl_process_executor_destroy(&executor) == SNARL_OK, "snarl_process_executor_destroy");
}

enum way { BY_MAP, BY_IMAP, BY_EXECUTOR };

static uint64_t sum_of_imap(snarl_process_task *task, const snarl_any *numbers, size_t count, size_t chunk) {
  snarl_auto_pool_results results = NULL;
  uint64_t sum = 0;
  snarl_any result;
  must(snarl_pool_imap(&pool, task, numbers, count, chunk, &results) == SNARL_OK, "snarl_pool_imap");
  for (size_t i = 0; i < count; i++) {
    must(snarl_pool_results_next(results, SNARL_FOREVER, &result) == SNARL_OK, "snarl_pool_results_next");
    sum += (uint64_t)snarl_any_as_int(result);
  }
  return sum;
}

static uint64_t sum_of_map(enum way way, snarl_process_task *task, snarl_any *numbers, size_t count, size_t chunk) {
  snarl_any *results = calloc(count, sizeof *results);
  uint64_t sum = 0;
  must(results != NULL, "calloc");
  int status = way == BY_MAP
                   ? snarl_pool_map(&pool, task, numbers, count, chunk, results, SNARL_FOREVER)
                   : snarl_process_executor_map(&executor, task, numbers, count, chunk, results, SNARL_FOREVER);
  must(status == SNARL_OK, "map");
  for (size_t i = 0; i < count; i++)
    sum += (uint64_t)snarl_any_as_int(results[i]);
  free(results);
  return sum;
}

static void run(enum way way, snarl_process_task *task, size_t count, size_t chunk) {
  snarl_any *numbers = calloc(count, sizeof *numbers);
  must(numbers != NULL, "calloc");
  for (size_t i = 0; i < count; i++)
    numbers[i] = snarl_any_int((int64_t)i);
  double begin = now();
  uint64_t sum =
      way == BY_IMAP ? sum_of_imap(task, numbers, count, chunk) : sum_of_map(way, task, numbers, count, chunk);
  tell(0, begin, count, sum);
  free(numbers);
}

#define PEER(function, way, task, chunk)                                                                               \
  static void function(int worker, long operations) {                                                                  \
    (void)worker;                                                                                                      \
    run(way, task, (size_t)operations, chunk);                                                                         \
  }
PEER(map, BY_MAP, empty, 1)
PEER(map_chunks, BY_MAP, empty, 0)
PEER(imap, BY_IMAP, empty, 1)
PEER(executor_map, BY_EXECUTOR, empty, 1)
PEER(map_ms, BY_MAP, millisecond, 1)
PEER(map_ms_chunks, BY_MAP, millisecond, 0)

#define POOL(subject_, name_, function)                                                                                \
  {                                                                                                                    \
    .subject = subject_, .name = name_, .workers = 1, .open = open_pool, .run = function, .close = close_pool,         \
    .expected = every_number                                                                                           \
  }
const struct process_peer own_pool_peers[] = {
    POOL("pool-empty-chunk-1", "snarl-map", map),
    POOL("pool-empty-chunk-1", "snarl-imap", imap),
    {.subject = "pool-empty-chunk-1",
     .name = "snarl-executor",
     .workers = 1,
     .open = open_executor,
     .run = executor_map,
     .close = close_executor,
     .expected = every_number},
    POOL("pool-empty-chunks", "snarl-map", map_chunks),
    POOL("pool-1ms-chunk-1", "snarl-map", map_ms),
    POOL("pool-1ms-chunks", "snarl-map", map_ms_chunks),
    {.subject = NULL},
};
