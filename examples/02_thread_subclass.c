/* SPDX-License-Identifier: MIT
 *
 * A subclass of Thread: a struct that begins with a snarl_thread, and a run of its own that gets it back.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 5 };

struct worker_thread {
  snarl_thread thread; /* first, so that a pointer to it is one to the whole */
  char name[16];
};

static void *run(snarl_thread *self) {
  struct worker_thread *worker = (struct worker_thread *)self;
  printf("thread %s begins to work\n", worker->name);
  pace_sleep(2);
  printf("thread %s has done its work\n", worker->name);
  return NULL;
}

static void worker_thread_init(struct worker_thread *worker, int number) {
  snprintf(worker->name, sizeof worker->name, "Thread-%d", number);
  snarl_thread_init_run(&worker->thread, worker->name, run);
}

int main(void) {
  struct worker_thread workers[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    worker_thread_init(&workers[i], i);
    if (snarl_thread_start(&workers[i].thread))
      return 1;
  }
  for (int i = 0; i < WORKERS; i++)
    snarl_thread_join(&workers[i].thread, SNARL_FOREVER);
  printf("all threads have done their work\n");
  return 0;
}
