/* SPDX-License-Identifier: MIT
 *
 * Lock and RLock: who may do what, what time limits do, what misuse answers.
 */
#include "test_runtime.h"

static void *acquire_lock(void *lock) { return as_pointer(snarl_lock_acquire((snarl_lock *)lock, SNARL_NOW)); }
static void *release_lock(void *lock) { return as_pointer(snarl_lock_release((snarl_lock *)lock)); }
static void *acquire_rlock(void *lock) { return as_pointer(snarl_rlock_acquire((snarl_rlock *)lock, SNARL_NOW)); }
static void *release_rlock(void *lock) { return as_pointer(snarl_rlock_release((snarl_rlock *)lock)); }

static void test_lock_is_exclusive(void **state) {
  (void)state;
  snarl_lock lock = SNARL_LOCK_INIT("lock");
  assert_false(snarl_lock_locked(&lock));
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_FOREVER), SNARL_OK);
  assert_true(snarl_lock_locked(&lock));
  assert_int_equal(as_status(in_thread(acquire_lock, &lock)), SNARL_TIMEOUT);
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_NOW), SNARL_TIMEOUT);
  assert_int_equal(snarl_lock_release(&lock), SNARL_OK);
  assert_int_equal(as_status(in_thread(acquire_lock, &lock)), SNARL_OK);
}

static void test_lock_times_out(void **state) {
  (void)state;
  snarl_lock lock = SNARL_LOCK_INIT(NULL);
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_MS(1)), SNARL_OK);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(20));
  begin = snarl_clock();
  assert_int_equal(snarl_lock_acquire(&lock, -1), SNARL_TIMEOUT);
  assert_lasted(begin, 0);
  assert_int_equal(snarl_lock_release(&lock), SNARL_OK);
}

static void test_lock_checks_its_owner(void **state) {
  (void)state;
  snarl_lock lock = SNARL_LOCK_INIT("lock");
  assert_int_equal(snarl_lock_release(&lock), SNARL_NOT_HELD);
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(in_thread(release_lock, &lock)), SNARL_NOT_OWNER);
  assert_int_equal(snarl_lock_release(&lock), SNARL_OK);
  assert_int_equal(snarl_lock_release(&lock), SNARL_NOT_HELD);
}

static void test_rlock_counts(void **state) {
  (void)state;
  snarl_rlock lock = SNARL_RLOCK_INIT("lock");
  for (int i = 0; i < 3; i++)
    assert_int_equal(snarl_rlock_acquire(&lock, SNARL_FOREVER), SNARL_OK);
  for (int i = 0; i < 3; i++) {
    assert_true(snarl_rlock_locked(&lock));
    assert_int_equal(as_status(in_thread(acquire_rlock, &lock)), SNARL_TIMEOUT);
    assert_int_equal(as_status(in_thread(release_rlock, &lock)), SNARL_NOT_OWNER);
    assert_int_equal(snarl_rlock_release(&lock), SNARL_OK);
  }
  assert_int_equal(snarl_rlock_release(&lock), SNARL_NOT_HELD);
  assert_int_equal(as_status(in_thread(acquire_rlock, &lock)), SNARL_OK);
}

static void test_rlock_depth_is_bounded(void **state) {
  (void)state;
  snarl_rlock lock = SNARL_RLOCK_INIT("lock");
  assert_int_equal(snarl_rlock_acquire(&lock, SNARL_FOREVER), SNARL_OK);
  lock.depth = UINT32_MAX;
  assert_int_equal(snarl_rlock_acquire(&lock, SNARL_FOREVER), SNARL_TOO_MANY);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  static snarl_lock zero;
  assert_int_equal(snarl_lock_acquire((snarl_lock *)NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_lock_release((snarl_lock *)NULL), SNARL_INVALID);
  assert_int_equal(snarl_lock_init((snarl_lock *)NULL, "none"), SNARL_INVALID);
  assert_int_equal(snarl_lock_destroy((snarl_lock *)NULL), SNARL_INVALID);
  assert_int_equal(snarl_lock_acquire(&zero, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_lock_init(&zero, "zero"), SNARL_OK);
  assert_int_equal(snarl_lock_acquire(&zero, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_rlock_acquire((snarl_rlock *)&zero, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_lock_destroy(&zero), SNARL_IN_USE);
  assert_int_equal(snarl_lock_release(&zero), SNARL_OK);
  assert_int_equal(snarl_lock_destroy(&zero), SNARL_OK);
  assert_int_equal(snarl_lock_destroy(&zero), SNARL_DESTROYED);
  assert_int_equal(snarl_lock_acquire(&zero, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_lock_release(&zero), SNARL_DESTROYED);
}

static void *acquire_and_end(void *lock) { return as_pointer(snarl_lock_acquire((snarl_lock *)lock, SNARL_FOREVER)); }

static void test_owner_has_ended(void **state) {
  (void)state;
  snarl_lock lock = SNARL_LOCK_INIT("lock");
  assert_int_equal(as_status(in_thread(acquire_and_end, &lock)), SNARL_OK);
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_FOREVER), SNARL_OWNER_ENDED);
  assert_int_equal(snarl_lock_acquire(&lock, SNARL_S(10)), SNARL_OWNER_ENDED);
  assert_int_equal(snarl_lock_release(&lock), SNARL_NOT_OWNER);
}

struct ending {
  snarl_lock lock;
  sem_t held, go;
};

static void *hold_until_told(void *argument) {
  struct ending *ending = argument;
  int status = snarl_lock_acquire(&ending->lock, SNARL_FOREVER);
  sem_post(&ending->held);
  sem_wait(&ending->go);
  return as_pointer(status);
}

static void *wait_for_lock(void *lock) { return as_pointer(snarl_lock_acquire((snarl_lock *)lock, SNARL_FOREVER)); }

/* Both sleep, or are about to, when the owner ends. */
static void test_owner_ends_while_others_wait(void **state) {
  (void)state;
  for (int round = 0; round < 50; round++) {
    struct ending ending = {.lock = SNARL_LOCK_INIT("lock")};
    sem_init(&ending.held, 0, 0);
    sem_init(&ending.go, 0, 0);
    pthread_t owner = begin_thread(hold_until_told, &ending);
    sem_wait(&ending.held);
    pthread_t one = begin_thread(wait_for_lock, &ending.lock), two = begin_thread(wait_for_lock, &ending.lock);
    if (round % 2)
      snarl_sleep(SNARL_MS(1));
    sem_post(&ending.go);
    assert_int_equal(as_status(end_thread(owner)), SNARL_OK);
    assert_int_equal(as_status(end_thread(one)), SNARL_OWNER_ENDED);
    assert_int_equal(as_status(end_thread(two)), SNARL_OWNER_ENDED);
  }
}

struct count {
  snarl_lock lock;
  long value;
};

enum { COUNTS = 20000, COUNTERS = 4 };

static void *count_up(void *argument) {
  struct count *count = argument;
  for (int i = 0; i < COUNTS; i++) {
    if (snarl_lock_acquire(&count->lock, i % 3 ? SNARL_FOREVER : SNARL_S(20)))
      return as_pointer(-1);
    count->value++;
    if (snarl_lock_release(&count->lock))
      return as_pointer(-1);
  }
  return NULL;
}

static void test_contended(void **state) {
  (void)state;
  struct count count = {.lock = SNARL_LOCK_INIT("count")};
  pthread_t threads[COUNTERS];
  for (int i = 0; i < COUNTERS; i++)
    threads[i] = begin_thread(count_up, &count);
  for (int i = 0; i < COUNTERS; i++)
    assert_int_equal(as_status(end_thread(threads[i])), 0);
  assert_int_equal(count.value, COUNTS * COUNTERS);
  assert_int_equal(snarl_lock_destroy(&count.lock), SNARL_OK);
}

static void test_statuses_have_words(void **state) {
  (void)state;
  static const int statuses[] = {
#define STATUS(NAME, value, sentence) value,
#include <snarl/status.def>
  };
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    assert_string_not_equal(snarl_status_name(statuses[i]), "UNKNOWN");
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(snarl_status_text(statuses[i]), snarl_status_text(statuses[j]));
  }
  assert_string_equal(snarl_status_name(7), "OK");
  assert_string_equal(snarl_status_name(-4096), "UNKNOWN");
  assert_string_equal(snarl_status_text(SNARL_TIMEOUT), "the time was over first");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lock_is_exclusive),
      cmocka_unit_test(test_lock_times_out),
      cmocka_unit_test(test_lock_checks_its_owner),
      cmocka_unit_test(test_rlock_counts),
      cmocka_unit_test(test_rlock_depth_is_bounded),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_owner_has_ended),
      cmocka_unit_test(test_owner_ends_while_others_wait),
      cmocka_unit_test(test_contended),
      cmocka_unit_test(test_statuses_have_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
