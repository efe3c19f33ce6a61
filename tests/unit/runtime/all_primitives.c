/* SPDX-License-Identifier: MIT
 *
 * Every primitive of libsnarl once or twice, in one order and without contention, so that each run leaves the same
 * records: once_each.py compares a run alone with one under the shim.
 */
#include <snarl/snarl.h>

static snarl_lock lock = SNARL_LOCK_INIT("lock");
static snarl_rlock rlock = SNARL_RLOCK_INIT("rlock");
static snarl_condition condition = SNARL_CONDITION_INIT("condition");
static snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 1);
static snarl_event event = SNARL_EVENT_INIT("event");
static snarl_rwlock rwlock = SNARL_RWLOCK_INIT("rwlock");
static snarl_once once = SNARL_ONCE_INIT("once");
static snarl_local local = SNARL_LOCAL_INIT("local", int, NULL, NULL);
static SNARL_SHARED(int) shared = SNARL_SHARED_INIT("shared", 0);

static void count(void *unused) {
  (void)unused;
  snarl_shared_update(&shared, += 1);
}

static snarl_timer timer = SNARL_TIMER_INIT("timer", SNARL_NOW, count, NULL);

static void *use_all(void *argument) {
  snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", 1);
  snarl_with(&lock) snarl_with(&rlock) snarl_with(&rlock) {}
  snarl_with(&condition) {
    (void)snarl_condition_wait(&condition, SNARL_US(100));
    (void)snarl_condition_notify(&condition, 1);
    (void)snarl_condition_notify_all(&condition);
  }
  snarl_with (&semaphore)(void) snarl_semaphore_acquire(&semaphore, SNARL_US(100));
  (void)snarl_event_wait(&event, SNARL_US(100));
  (void)snarl_event_set(&event);
  (void)snarl_event_wait(&event, SNARL_FOREVER);
  (void)snarl_event_clear(&event);
  snarl_with_read (&rwlock)(void) snarl_rwlock_acquire_write(&rwlock, SNARL_US(100));
  snarl_with_write(&rwlock){}(void)snarl_once_run(&once, count, NULL);
  (void)snarl_barrier_wait(&barrier, SNARL_FOREVER);
  (void)snarl_barrier_destroy(&barrier);
  *(int *)snarl_local_get(&local) = 1;
  return argument;
}

int main(void) {
  (void)use_all(NULL);
  for (int i = 0; i < 3; i++) {
    snarl_thread thread = SNARL_THREAD_INIT("thread", use_all, NULL);
    if (snarl_thread_start(&thread) || snarl_thread_join(&thread, SNARL_FOREVER))
      return 1;
  }
  if (snarl_timer_start(&timer) || snarl_timer_join(&timer, SNARL_FOREVER))
    return 1;
  return snarl_shared_read(&shared) == 2 ? 0 : 1;
}
