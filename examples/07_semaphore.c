/* SPDX-License-Identifier: MIT
 *
 * A Semaphore: ten threads want a resource that three can use at a time.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 10, PERMITS = 3 };

static snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", PERMITS);

static void *worker(void *name) {
  printf("thread %s tries to use the resource\n", (const char *)name);
  snarl_with(&semaphore) {
    printf("thread %s uses the resource\n", (const char *)name);
    pace_sleep(pace_uniform(1, 3));
    printf("thread %s leaves the resource\n", (const char *)name);
  }
  return NULL;
}

int main(void) {
  static char names[WORKERS][16];
  snarl_thread threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    snprintf(names[i], sizeof names[i], "Thread-%d", i);
    snarl_thread_init(&threads[i], names[i], worker, names[i]);
    if (snarl_thread_start(&threads[i]))
      return 1;
  }
  for (int i = 0; i < WORKERS; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  return 0;
}
