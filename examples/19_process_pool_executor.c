/* SPDX-License-Identifier: MIT
 *
 * A ProcessPoolExecutor: ten tasks with a future for each, taken as they complete, and ten by map, whose results come
 * in the order of the tasks.
 */
#include "pace.h"
#include <stdio.h>
#include <unistd.h>

enum { TASKS = 10 };

static snarl_any task(snarl_any name) {
  printf("task %s begins (PID %d)\n", snarl_any_as_string(name), (int)getpid());
  pace_sleep(pace_uniform(0.5, 2.5));
  snarl_any result = snarl_any_stringf("result of %s", snarl_any_as_string(name));
  printf("task %s is done\n", snarl_any_as_string(name));
  return result;
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
    printf("task %zu returned: %s\n", place, snarl_any_as_string(*(snarl_any *)result));
  else
    printf("task %zu failed: %s\n", place, snarl_future_error(future)->message);
}

static int by_futures(snarl_process_executor *executor) {
  snarl_future *futures[TASKS], *future;
  for (int i = 0; i < TASKS; i++)
    if (snarl_process_executor_submit(executor, task, snarl_any_stringf("Task-%d", i), &futures[i]))
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

static int by_map(snarl_process_executor *executor) {
  snarl_any names[TASKS], results[TASKS];
  printf("\nby map:\n");
  for (int i = 0; i < TASKS; i++)
    names[i] = snarl_any_stringf("Map-%d", i);
  int status = snarl_process_executor_map(executor, task, names, TASKS, 0, results, SNARL_FOREVER);
  for (int i = 0; i < TASKS; i++) {
    if (!status)
      printf("map's result %d: %s\n", i, snarl_any_as_string(results[i]));
    snarl_any_drop(&names[i]);
    snarl_any_drop(&results[i]);
  }
  return status;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0); /* the workers print, too */
  printf("this machine has %d processors\n", snarl_cpu_count());
  {
    snarl_auto_process_executor executor; /* shut down at the end of this block, when all is done */
    if (snarl_process_executor_init(&executor, "executor", NULL) || by_futures(&executor) || by_map(&executor))
      return 1;
  }
  printf("\nall tasks are done\n");
  return 0;
}
