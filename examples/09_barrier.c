/* SPDX-License-Identifier: MIT
 *
 * A Barrier: five threads work in two phases, and none begins the second before all have done the first.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 5 };

static snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", WORKERS);

static void *worker(void *name) {
  printf("thread %s begins to work\n", (const char *)name);
  pace_sleep(pace_uniform(0.5, 2.5));
  printf("thread %s is at the first checkpoint, waiting for the others...\n", (const char *)name);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);

  printf("thread %s goes on with the second phase\n", (const char *)name);
  pace_sleep(pace_uniform(0.5, 2.5));
  printf("thread %s is at the second checkpoint, waiting for the others...\n", (const char *)name);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);

  printf("thread %s has done all its work\n", (const char *)name);
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
  printf("all threads have done their work\n");
  return 0;
}
