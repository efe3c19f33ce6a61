/* SPDX-License-Identifier: MIT
 *
 * One variable goes from thread to thread, handed over by another primitive each time: an event, a semaphore, a
 * condition, a barrier, a once, a timer, a join.
 */
#include "threads.h"

static SNARL_SHARED(int) baton = SNARL_SHARED_INIT("baton", 0);
static snarl_event event = SNARL_EVENT_INIT("event");
static snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 0);
static snarl_condition condition = SNARL_CONDITION_INIT("condition");
static snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", 2);
static snarl_once once = SNARL_ONCE_INIT("once");
static bool is_there; /* under the condition's lock */

static void add(void *unused) {
  (void)unused;
  snarl_shared_update(&baton, += 1);
}

static snarl_timer timer = SNARL_TIMER_INIT("timer", SNARL_MS(1), add, NULL);

static void *left(void *unused) {
  add(NULL);
  snarl_event_set(&event);
  snarl_semaphore_acquire(&semaphore, SNARL_FOREVER);
  add(NULL);
  snarl_with(&condition) {
    is_there = true;
    snarl_condition_notify_all(&condition);
  }
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  snarl_once_run(&once, add, NULL);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  return unused;
}

static void *right(void *unused) {
  snarl_event_wait(&event, SNARL_FOREVER);
  add(NULL);
  snarl_semaphore_release(&semaphore, 1);
  snarl_with (&condition)(void) snarl_condition_wait_until(&condition, SNARL_FOREVER, is_there);
  add(NULL);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  snarl_once_run(&once, add, NULL);
  add(NULL); /* after the once, and the other only waits */
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  return unused;
}

int main(void) {
  add(NULL);
  THREADS({"left", left}, {"right", right});
  add(NULL);
  if (snarl_timer_start(&timer) || snarl_timer_join(&timer, SNARL_FOREVER))
    abort();
  return snarl_shared_read(&baton) == 9 ? 0 : 1;
}
