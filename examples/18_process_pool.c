/* SPDX-License-Identifier: MIT
 *
 * A Pool of processes: ten tasks each by apply_async with a callback, by map, by imap and by imap_unordered.
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

static void callback(snarl_any result, void *context) {
  (void)context;
  printf("the callback got: %s\n", snarl_any_as_string(result));
}

static int by_apply_async(snarl_pool *pool) {
  snarl_future *futures[TASKS];
  struct snarl_pool_callbacks callbacks = {.done = callback};
  int status = 0;
  printf("\nby apply_async:\n");
  for (int i = 0; i < TASKS; i++)
    if (snarl_pool_apply_async(pool, task, snarl_any_stringf("Async-%d", i), &callbacks, &futures[i]))
      return 1;
  for (int i = 0; i < TASKS; i++) {
    void *result = NULL;
    status |= snarl_future_result(futures[i], SNARL_FOREVER, &result);
    if (result)
      printf("got: %s\n", snarl_any_as_string(*(snarl_any *)result));
    snarl_future_drop(futures[i]);
  }
  return status;
}

static void name_tasks(snarl_any names[static TASKS], const char *prefix) {
  for (int i = 0; i < TASKS; i++)
    names[i] = snarl_any_stringf("%s-%d", prefix, i);
}

static void drop_all(snarl_any values[static TASKS]) {
  for (int i = 0; i < TASKS; i++)
    snarl_any_drop(&values[i]);
}

static int by_map(snarl_pool *pool) {
  snarl_any names[TASKS], results[TASKS];
  printf("\nby map:\n");
  name_tasks(names, "Map");
  int status = snarl_pool_map(pool, task, names, TASKS, 0, results, SNARL_FOREVER);
  for (int i = 0; !status && i < TASKS; i++)
    printf("map's result %d: %s\n", i, snarl_any_as_string(results[i]));
  drop_all(names);
  drop_all(results);
  return status;
}

/* Takes them as they come. */
static int print_results(snarl_pool_results *results, const char *method) {
  snarl_any result;
  int status;
  while ((status = snarl_pool_results_next(results, SNARL_FOREVER, &result)) == SNARL_OK) {
    printf("%s gave: %s\n", method, snarl_any_as_string(result));
    snarl_any_drop(&result);
  }
  return status != SNARL_CLOSED;
}

static int by_imap(snarl_pool *pool) {
  snarl_any names[TASKS];
  snarl_auto_pool_results results = NULL;
  printf("\nby imap:\n");
  name_tasks(names, "IMap");
  int status = snarl_pool_imap(pool, task, names, TASKS, 1, &results);
  drop_all(names);
  return status ? status : print_results(results, "imap");
}

static int by_imap_unordered(snarl_pool *pool) {
  snarl_any names[TASKS];
  snarl_auto_pool_results results = NULL;
  printf("\nby imap_unordered:\n");
  name_tasks(names, "Unordered");
  int status = snarl_pool_imap_unordered(pool, task, names, TASKS, 1, &results);
  drop_all(names);
  return status ? status : print_results(results, "imap_unordered");
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0); /* the workers print, too */
  printf("this machine has %d processors\n", snarl_cpu_count());
  {
    snarl_auto_pool pool; /* terminated at the end of this block, when all is done */
    if (snarl_pool_init(&pool, "pool", NULL))
      return 1;
    if (by_apply_async(&pool) || by_map(&pool) || by_imap(&pool) || by_imap_unordered(&pool))
      return 1;
  }
  printf("\nall tasks are done\n");
  return 0;
}
