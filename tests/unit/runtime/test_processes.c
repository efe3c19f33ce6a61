/* SPDX-License-Identifier: MIT
 *
 * Lock, RLock, Semaphore, Event, Condition and Barrier between processes: who may do what, and what a killed owner
 * leaves.
 */
#include "test_runtime.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena {
  snarl_lock lock;
  snarl_rlock rlock;
  snarl_semaphore semaphore;
  snarl_event event, ready;
  snarl_condition condition;
  snarl_barrier barrier;
  int value;
} * arena;

static int setup(void **state) {
  (void)state;
  memset(arena, 0, sizeof *arena);
  return snarl_lock_init_shared(&arena->lock, "lock") || snarl_rlock_init_shared(&arena->rlock, NULL) ||
         snarl_semaphore_init_shared(&arena->semaphore, "semaphore", 0) ||
         snarl_event_init_shared(&arena->event, "event") || snarl_event_init_shared(&arena->ready, "ready") ||
         snarl_condition_init_shared(&arena->condition, "condition") ||
         snarl_barrier_init_shared(&arena->barrier, "barrier", 3);
}

/* Runs `body` in a process of its own. */
static pid_t begin_process(int (*body)(void)) {
  pid_t child = fork();
  if (child == 0)
    _exit(-body());
  assert_true(child > 0);
  return child;
}

/* What it returned, or 1000: it was killed. */
static int end_process(pid_t child) {
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? -WEXITSTATUS(status) : 1000;
}

static int in_process(int (*body)(void)) { return end_process(begin_process(body)); }

static int try_lock(void) { return snarl_lock_acquire(&arena->lock, SNARL_NOW); }
static int try_rlock(void) { return snarl_rlock_acquire(&arena->rlock, SNARL_MS(1)); }
static int release_lock(void) { return snarl_lock_release(&arena->lock); }
static int release_rlock(void) { return snarl_rlock_release(&arena->rlock); }
static int die_with_lock(void) {
  int status = snarl_lock_acquire(&arena->lock, SNARL_NOW);
  if (!status)
    (void)raise(SIGKILL);
  return status;
}
static int die_with_rlock(void) {
  for (int i = 0; i < 3; i++)
    if (snarl_rlock_acquire(&arena->rlock, SNARL_NOW))
      return -1;
  return raise(SIGKILL);
}
static int become_another_with_lock(void) {
  int status = snarl_lock_acquire(&arena->lock, SNARL_NOW);
  return status || execl("/bin/true", "true", (char *)NULL);
}
static void *keep_lock(void *unused) {
  (void)snarl_lock_acquire(&arena->lock, SNARL_FOREVER);
  return unused;
}

static void test_lock_is_exclusive(void **state) {
  (void)state;
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_OK);
  assert_true(snarl_lock_locked(&arena->lock));
  assert_int_equal(in_process(try_lock), SNARL_TIMEOUT);
  assert_int_equal(in_process(release_lock), SNARL_NOT_OWNER);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(20));
  assert_int_equal(snarl_lock_destroy(&arena->lock), SNARL_IN_USE);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_NOT_HELD);
  assert_int_equal(snarl_lock_destroy(&arena->lock), SNARL_OK);
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_NOW), SNARL_DESTROYED);
}

static void test_rlock_counts(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++)
    assert_int_equal(snarl_rlock_acquire(&arena->rlock, SNARL_FOREVER), SNARL_OK);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(in_process(try_rlock), SNARL_TIMEOUT);
    assert_int_equal(in_process(release_rlock), SNARL_NOT_OWNER);
    assert_int_equal(snarl_rlock_release(&arena->rlock), SNARL_OK);
  }
  assert_int_equal(snarl_rlock_release(&arena->rlock), SNARL_NOT_HELD);
  assert_int_equal(in_process(die_with_rlock), 1000);
  assert_int_equal(snarl_rlock_acquire(&arena->rlock, SNARL_FOREVER), SNARL_RECOVERED);
  assert_int_equal(snarl_rlock_release(&arena->rlock), SNARL_OK);
  assert_false(snarl_rlock_locked(&arena->rlock));
}

static void test_next_owner_is_told_once(void **state) {
  (void)state;
  assert_int_equal(in_process(die_with_lock), 1000);
  assert_false(snarl_lock_locked(&arena->lock));
  assert_int_equal(in_process(die_with_lock), SNARL_RECOVERED); /* it holds the lock and exits */
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_RECOVERED);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
  in_thread(keep_lock, NULL);
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_RECOVERED);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
  assert_int_equal(in_process(become_another_with_lock), 0); /* another program does not know of it */
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_RECOVERED);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
}

static void test_with_is_not_entered_after_a_killed_owner(void **state) {
  (void)state;
  assert_int_equal(in_process(die_with_lock), 1000);
  for (int i = 0; i < 2; i++)
    snarl_with(&arena->lock) fail();
  assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_RECOVERED);
  assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
  int entered = 0;
  snarl_with(&arena->lock) entered++;
  assert_int_equal(entered, 1);
}

/* Ours is in the C library's list beside its own robust mutexes, taken and given in any order. */
static void test_beside_robust_mutexes(void **state) {
  (void)state;
  pthread_mutexattr_t attributes;
  pthread_mutex_t mutexes[2];
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  for (int i = 0; i < 2; i++)
    pthread_mutex_init(&mutexes[i], &attributes);
  for (int order = 0; order < 2; order++) {
    pthread_mutex_lock(&mutexes[0]);
    assert_int_equal(snarl_lock_acquire(&arena->lock, SNARL_FOREVER), SNARL_OK);
    pthread_mutex_lock(&mutexes[1]);
    assert_int_equal(snarl_rlock_acquire(&arena->rlock, SNARL_FOREVER), SNARL_OK);
    pthread_mutex_unlock(&mutexes[order]);
    assert_int_equal(snarl_lock_release(&arena->lock), SNARL_OK);
    pthread_mutex_unlock(&mutexes[!order]);
    assert_int_equal(snarl_rlock_release(&arena->rlock), SNARL_OK);
  }
  for (int i = 0; i < 2; i++)
    pthread_mutex_destroy(&mutexes[i]);
  assert_int_equal(in_process(die_with_rlock), 1000);
  assert_int_equal(snarl_rlock_acquire(&arena->rlock, SNARL_FOREVER), SNARL_RECOVERED);
  assert_int_equal(snarl_rlock_release(&arena->rlock), SNARL_OK);
}

static int take_permit(void) { return snarl_semaphore_acquire(&arena->semaphore, SNARL_S(10)); }

static void test_semaphore(void **state) {
  (void)state;
  pid_t child = begin_process(take_permit);
  assert_int_equal(snarl_semaphore_release(&arena->semaphore, 2), SNARL_OK);
  assert_int_equal(end_process(child), SNARL_OK);
  assert_int_equal(snarl_semaphore_value(&arena->semaphore), 1);
  assert_int_equal(snarl_semaphore_destroy(&arena->semaphore), SNARL_OK);
  assert_int_equal(snarl_bounded_semaphore_init_shared(&arena->semaphore, NULL, 1), SNARL_OK);
  assert_int_equal(snarl_semaphore_release(&arena->semaphore, 1), SNARL_TOO_MANY);
  snarl_with(&arena->semaphore)
      assert_int_equal(snarl_semaphore_acquire(&arena->semaphore, SNARL_MS(1)), SNARL_TIMEOUT);
  assert_int_equal(snarl_semaphore_destroy(&arena->semaphore), SNARL_OK);
}

static int await_event(void) {
  (void)snarl_event_set(&arena->ready);
  return snarl_event_wait(&arena->event, SNARL_S(10));
}

static void test_event(void **state) {
  (void)state;
  pid_t child = begin_process(await_event);
  assert_int_equal(snarl_event_wait(&arena->ready, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_event_set(&arena->event), SNARL_OK);
  assert_int_equal(end_process(child), SNARL_OK);
  assert_int_equal(snarl_event_clear(&arena->event), SNARL_OK);
  assert_false(snarl_event_is_set(&arena->event));
}

static int await_value(void) {
  int status = snarl_condition_acquire(&arena->condition, SNARL_FOREVER);
  (void)snarl_event_set(&arena->ready); /* who gets the lock now finds a waiter */
  if (!status)
    status = snarl_condition_wait_until(&arena->condition, SNARL_S(10), arena->value);
  int released = snarl_condition_release(&arena->condition);
  return status ? status : released;
}

static void test_condition(void **state) {
  (void)state;
  assert_int_equal(snarl_condition_wait(&arena->condition, SNARL_NOW), SNARL_NOT_HELD);
  pid_t child = begin_process(await_value);
  assert_int_equal(snarl_event_wait(&arena->ready, SNARL_FOREVER), SNARL_OK);
  snarl_with(&arena->condition) {
    arena->value = 1;
    assert_int_equal(snarl_condition_notify(&arena->condition, 1), 1);
    assert_int_equal(snarl_condition_notify_all(&arena->condition), 0);
  }
  assert_int_equal(end_process(child), SNARL_OK);
  snarl_with(&arena->condition) {
    snarl_time begin = snarl_clock();
    assert_int_equal(snarl_condition_wait(&arena->condition, SNARL_MS(150)), SNARL_TIMEOUT);
    assert_lasted(begin, SNARL_MS(150));
  }
  snarl_lock private_lock = SNARL_LOCK_INIT("lock");
  assert_int_equal(snarl_condition_init_shared_on(&arena->condition, NULL, &private_lock), SNARL_INVALID);
}

/* It waits and is killed: the other waiter gets what is meant for one. */
static void test_killed_waiter_takes_nothing_along(void **state) {
  (void)state;
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = begin_process(await_value);
    assert_int_equal(snarl_event_wait(&arena->ready, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_event_clear(&arena->ready), SNARL_OK);
    assert_int_equal(snarl_condition_acquire(&arena->condition, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_condition_release(&arena->condition), SNARL_OK);
  }
  assert_int_equal(kill(children[0], SIGKILL), 0);
  assert_int_equal(end_process(children[0]), 1000);
  snarl_with(&arena->condition) {
    arena->value = 1;
    assert_true(snarl_condition_notify(&arena->condition, 1) > 0);
  }
  assert_int_equal(end_process(children[1]), SNARL_OK);
}

enum { MEETINGS = 2000 };

/* Everybody sees what all have done before they met. */
static int meet_often(void) {
  for (int i = 1; i <= MEETINGS; i++) {
    (void)__atomic_fetch_add(&arena->value, 1, __ATOMIC_RELAXED);
    if (snarl_barrier_wait(&arena->barrier, SNARL_S(10)) < 0)
      return -1;
    if (__atomic_load_n(&arena->value, __ATOMIC_RELAXED) < 3 * i)
      return -2;
    if (snarl_barrier_wait(&arena->barrier, SNARL_S(10)) < 0)
      return -3;
  }
  return 0;
}
static int meet(void) {
  int index = snarl_barrier_wait(&arena->barrier, SNARL_S(10));
  return index > 0 ? 0 : index;
}
static void await_arrived(int count) {
  snarl_time deadline = snarl_deadline(SNARL_S(10));
  while (snarl_barrier_n_waiting(&arena->barrier) != count)
    assert_true(snarl_time_left(deadline) > 0);
}

static void test_barrier(void **state) {
  (void)state;
  pid_t children[2] = {begin_process(meet_often), begin_process(meet_often)};
  assert_int_equal(meet_often(), 0);
  for (int i = 0; i < 2; i++)
    assert_int_equal(end_process(children[i]), 0);
  assert_int_equal(snarl_barrier_n_waiting(&arena->barrier), 0);
  assert_int_equal(snarl_barrier_parties(&arena->barrier), 3);
}

static void test_barrier_breaks(void **state) {
  (void)state;
  pid_t child = begin_process(meet);
  await_arrived(1);
  assert_int_equal(snarl_barrier_destroy(&arena->barrier), SNARL_IN_USE);
  assert_int_equal(snarl_barrier_wait(&arena->barrier, SNARL_MS(1)), SNARL_TIMEOUT);
  assert_int_equal(end_process(child), SNARL_BROKEN);
  assert_true(snarl_barrier_broken(&arena->barrier));
  assert_int_equal(in_process(meet), SNARL_BROKEN);
  assert_int_equal(snarl_barrier_reset(&arena->barrier), SNARL_OK);
  assert_false(snarl_barrier_broken(&arena->barrier));
  for (int aborts = 0; aborts < 2; aborts++) {
    child = begin_process(meet);
    await_arrived(1);
    assert_int_equal(aborts ? snarl_barrier_abort(&arena->barrier) : snarl_barrier_reset(&arena->barrier), SNARL_OK);
    assert_int_equal(end_process(child), SNARL_BROKEN);
    assert_int_equal(snarl_barrier_broken(&arena->barrier), aborts);
  }
  assert_int_equal(snarl_barrier_destroy(&arena->barrier), SNARL_OK);
  assert_int_equal(snarl_barrier_wait(&arena->barrier, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_barrier_init_shared(&arena->barrier, NULL, 65536), SNARL_INVALID);
}

static void test_killed_at_a_barrier_has_arrived(void **state) {
  (void)state;
  pid_t child = begin_process(meet);
  await_arrived(1);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(end_process(child), 1000);
  child = begin_process(meet);
  await_arrived(2);
  assert_int_equal(snarl_barrier_wait(&arena->barrier, SNARL_S(10)), 2);
  assert_int_equal(end_process(child), SNARL_OK);
}

static void test_misuse(void **state) {
  (void)state;
  assert_int_equal(snarl_lock_init_shared(NULL, "lock"), SNARL_INVALID);
  assert_int_equal(snarl_semaphore_init_shared(&arena->semaphore, NULL, -1), SNARL_INVALID);
  assert_int_equal(snarl_rlock_acquire((snarl_rlock *)&arena->lock, SNARL_NOW), SNARL_NOT_INITIALIZED);
  char name[100];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  assert_int_equal(snarl_lock_destroy(&arena->lock), SNARL_OK);
  assert_int_equal(snarl_lock_init_shared(&arena->lock, name), SNARL_OK);
  assert_int_equal(strlen((const char *)&arena->lock), SNARLI_NAME_ROOM - 1);
}

int main(void) {
  arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (arena == MAP_FAILED)
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_lock_is_exclusive, setup),
      cmocka_unit_test_setup(test_rlock_counts, setup),
      cmocka_unit_test_setup(test_next_owner_is_told_once, setup),
      cmocka_unit_test_setup(test_with_is_not_entered_after_a_killed_owner, setup),
      cmocka_unit_test_setup(test_beside_robust_mutexes, setup),
      cmocka_unit_test_setup(test_semaphore, setup),
      cmocka_unit_test_setup(test_event, setup),
      cmocka_unit_test_setup(test_condition, setup),
      cmocka_unit_test_setup(test_killed_waiter_takes_nothing_along, setup),
      cmocka_unit_test_setup(test_barrier, setup),
      cmocka_unit_test_setup(test_barrier_breaks, setup),
      cmocka_unit_test_setup(test_killed_at_a_barrier_has_arrived, setup),
      cmocka_unit_test_setup(test_misuse, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
