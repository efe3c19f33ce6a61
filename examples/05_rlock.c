/* SPDX-License-Identifier: MIT
 *
 * An RLock: a function that holds it calls another that acquires it, too. With a Lock the thread would wait for itself.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 5 };

struct shared_resource {
  snarl_rlock lock;
  int value;
};

static struct shared_resource resource = {.lock = SNARL_RLOCK_INIT("resource")};

static void resource_display(struct shared_resource *shared) {
  snarl_with(&shared->lock) printf("value now: %d\n", shared->value);
}

static void resource_update(struct shared_resource *shared, int value) {
  snarl_with(&shared->lock) {
    shared->value = value;
    resource_display(shared);
  }
}

struct job {
  char name[16];
  int value;
};

static void *worker(void *argument) {
  const struct job *job = argument;
  printf("thread %s begins to update the resource\n", job->name);
  resource_update(&resource, job->value);
  printf("thread %s has updated it\n", job->name);
  return NULL;
}

int main(void) {
  static struct job jobs[WORKERS];
  snarl_thread threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    snprintf(jobs[i].name, sizeof jobs[i].name, "Thread-%d", i);
    jobs[i].value = i * 10;
    snarl_thread_init(&threads[i], jobs[i].name, worker, &jobs[i]);
    if (snarl_thread_start(&threads[i]))
      return 1;
  }
  for (int i = 0; i < WORKERS; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  return 0;
}
