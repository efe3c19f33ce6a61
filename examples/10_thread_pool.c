/* SPDX-License-Identifier: MIT
 *
 * A ThreadPoolExecutor: ten tasks for five threads, once with a future for each, taken as they complete, and once by
 * map, whose results come in the order of the tasks.
 */
#include "pace.h"
#include <stdio.h>

enum { TASKS = 10, WORKERS = 5 };

static const struct snarl_executor_options five = {.workers = WORKERS};
static char names[TASKS][16], results[TASKS][48];

/* Its argument is one of `names`; its result lies in `results` at the same place. */
static void *task(void *name) {
  size_t place = (size_t)((char(*)[16])name - names);
  printf("task %s begins\n", (const char *)name);
  pace_sleep(pace_uniform(0.5, 2.5));
  snprintf(results[place], sizeof results[place], "result of %s", (const char *)name);
  printf("task %s is done\n", (const char *)name);
  return results[place];
}

static size_t place_of(snarl_future *const *futures, const snarl_future *future) {
  size_t place = 0;
  while (futures[place] != future)
    place++;
  return place;
}

static void print_result(size_t place, snarl_future *future) {
  void *result;
  if (snarl_future_result(future, SNARL_FOREVER, &result) == SNARL_OK)
    printf("task %zu returned: %s\n", place, (const char *)result);
  else
    printf("task %zu failed: %s\n", place, snarl_future_error(future)->message);
}

static int with_futures(void) {
  snarl_auto_executor executor; /* shut down at the end of this block */
  snarl_future *futures[TASKS], *future;
  if (snarl_executor_init(&executor, "executor", &five))
    return 1;
  for (int i = 0; i < TASKS; i++)
    if (snarl_executor_submit(&executor, task, names[i], &futures[i]))
      return 1;
  snarl_auto_completed completed = NULL;
  if (snarl_as_completed(&completed, futures, TASKS))
    return 1;
  while (snarl_completed_next(completed, SNARL_FOREVER, &future) == SNARL_OK)
    print_result(place_of(futures, future), future);
  for (int i = 0; i < TASKS; i++)
    snarl_future_drop(futures[i]);
  return 0;
}

static int with_map(void) {
  snarl_auto_executor executor;
  void *arguments[TASKS], *values[TASKS];
  if (snarl_executor_init(&executor, "executor", &five))
    return 1;
  for (int i = 0; i < TASKS; i++)
    arguments[i] = names[i];
  if (snarl_executor_map(&executor, task, arguments, TASKS, values, SNARL_FOREVER))
    return 1;
  for (int i = 0; i < TASKS; i++)
    printf("map's result %d: %s\n", i, (const char *)values[i]);
  return 0;
}

int main(void) {
  for (int i = 0; i < TASKS; i++)
    snprintf(names[i], sizeof names[i], "Task-%d", i);
  return with_futures() || with_map();
}
