/* SPDX-License-Identifier: MIT
 *
 * Two processes hand a variable to each other without a lock around it: by an Event, a Semaphore, a Barrier and a
 * Condition between them.
 */
#include "processes.h"

static struct shared {
  SNARL_SHARED(int) ball;
  snarl_event event;
  snarl_semaphore semaphore;
  snarl_barrier barrier;
  snarl_condition condition;
  bool is_told;
} * shared;

static void play(void) { snarl_shared_update(&shared->ball, += 1); }

static int left(void *unused) {
  (void)unused;
  play();
  snarl_event_set(&shared->event);
  if (snarl_semaphore_acquire(&shared->semaphore, SNARL_FOREVER))
    return 1;
  play();
  if (snarl_barrier_wait(&shared->barrier, SNARL_FOREVER) < 0)
    return 1;
  snarl_with(&shared->condition) snarl_condition_wait_until(&shared->condition, SNARL_FOREVER, shared->is_told);
  play();
  return 0;
}

static int right(void *unused) {
  (void)unused;
  if (snarl_event_wait(&shared->event, SNARL_FOREVER))
    return 1;
  play();
  snarl_semaphore_release(&shared->semaphore, 1);
  if (snarl_barrier_wait(&shared->barrier, SNARL_FOREVER) < 0)
    return 1;
  play();
  snarl_with(&shared->condition) {
    shared->is_told = true;
    snarl_condition_notify(&shared->condition, 1);
  }
  return 0;
}

int main(void) {
  snarl_shared_memory memory;
  if (snarl_shared_memory_create(&memory, NULL, sizeof *shared))
    return 1;
  shared = (struct shared *)memory.data;
  if (snarl_shared_init_shared(&shared->ball, "ball") || snarl_event_init_shared(&shared->event, "event") ||
      snarl_semaphore_init_shared(&shared->semaphore, "semaphore", 0) ||
      snarl_barrier_init_shared(&shared->barrier, "barrier", 2) ||
      snarl_condition_init_shared(&shared->condition, "condition"))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  return snarl_shared_read(&shared->ball) != 5;
}
