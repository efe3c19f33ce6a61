/* SPDX-License-Identifier: MIT
 *
 * Semaphore, BoundedSemaphore, Event and Once.
 */
#include "test_runtime.h"

static void *acquire_semaphore(void *semaphore) {
  return as_pointer(snarl_semaphore_acquire((snarl_semaphore *)semaphore, SNARL_FOREVER));
}

static void test_semaphore_counts(void **state) {
  (void)state;
  snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 2);
  assert_int_equal(snarl_semaphore_acquire(&semaphore, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_semaphore_acquire(&semaphore, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_semaphore_acquire(&semaphore, SNARL_NOW), SNARL_TIMEOUT);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_semaphore_acquire(&semaphore, SNARL_MS(15)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(15));
  assert_int_equal(snarl_semaphore_release(&semaphore, 3), SNARL_OK);
  assert_int_equal(snarl_semaphore_value(&semaphore), 3);
  assert_int_equal(snarl_semaphore_destroy(&semaphore), SNARL_OK);
}

static void test_release_wakes_as_many(void **state) {
  (void)state;
  snarl_semaphore semaphore;
  assert_int_equal(snarl_semaphore_init(&semaphore, "semaphore", 0), SNARL_OK);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    threads[i] = begin_thread(acquire_semaphore, &semaphore);
  while (__atomic_load_n(&semaphore.state, __ATOMIC_SEQ_CST) >> 32 < 4)
    snarl_sleep(SNARL_US(100));
  assert_int_equal(snarl_semaphore_destroy(&semaphore), SNARL_IN_USE);
  assert_int_equal(snarl_semaphore_release(&semaphore, 4), SNARL_OK);
  for (int i = 0; i < 4; i++)
    assert_int_equal(as_status(end_thread(threads[i])), SNARL_OK);
  assert_int_equal(semaphore.state, 0);
}

static void test_bounded_refuses_a_release_too_many(void **state) {
  (void)state;
  snarl_semaphore bounded = SNARL_BOUNDED_SEMAPHORE_INIT("bounded", 2), made;
  assert_int_equal(snarl_semaphore_release(&bounded, 1), SNARL_TOO_MANY);
  assert_int_equal(snarl_semaphore_acquire(&bounded, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_semaphore_release(&bounded, 2), SNARL_TOO_MANY);
  assert_int_equal(snarl_semaphore_release(&bounded, 1), SNARL_OK);
  assert_int_equal(snarl_bounded_semaphore_init(&made, NULL, 0), SNARL_OK);
  assert_int_equal(snarl_semaphore_release(&made, 1), SNARL_TOO_MANY);
  snarl_semaphore full = SNARL_SEMAPHORE_INIT("full", INT32_MAX);
  assert_int_equal(snarl_semaphore_release(&full, 1), SNARL_TOO_MANY);
  assert_int_equal(snarl_semaphore_release(&full, INT32_MAX), SNARL_TOO_MANY);
}

static void test_semaphore_misuse_is_told(void **state) {
  (void)state;
  snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 1), zero = {.first = 0};
  assert_int_equal(snarl_semaphore_release(&semaphore, 0), SNARL_INVALID);
  assert_int_equal(snarl_semaphore_release(&semaphore, -1), SNARL_INVALID);
  assert_int_equal(snarl_semaphore_init(&zero, "zero", -1), SNARL_INVALID);
  assert_int_equal(snarl_bounded_semaphore_init(&zero, "zero", -1), SNARL_INVALID);
  assert_int_equal(snarl_semaphore_init((snarl_semaphore *)NULL, "none", 1), SNARL_INVALID);
  assert_int_equal(snarl_semaphore_acquire(&zero, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_semaphore_acquire((snarl_semaphore *)NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_semaphore_destroy(&semaphore), SNARL_OK);
  assert_int_equal(snarl_semaphore_release(&semaphore, 1), SNARL_DESTROYED);
}

struct permits {
  snarl_semaphore semaphore;
  uint32_t inside, most;
};
enum { PERMITS = 3, ROUNDS = 4000 };

static void *use_permits(void *argument) {
  struct permits *permits = argument;
  for (int i = 0; i < ROUNDS; i++) {
    if (snarl_semaphore_acquire(&permits->semaphore, i % 2 ? SNARL_FOREVER : SNARL_S(30)))
      return as_pointer(-1);
    uint32_t inside = __atomic_add_fetch(&permits->inside, 1, __ATOMIC_SEQ_CST);
    if (inside > PERMITS)
      return as_pointer(-1);
    __atomic_sub_fetch(&permits->inside, 1, __ATOMIC_SEQ_CST);
    if (snarl_semaphore_release(&permits->semaphore, 1))
      return as_pointer(-1);
  }
  return NULL;
}

static void test_semaphore_contended(void **state) {
  (void)state;
  struct permits permits = {.semaphore = SNARL_BOUNDED_SEMAPHORE_INIT("permits", PERMITS)};
  pthread_t threads[6];
  for (int i = 0; i < 6; i++)
    threads[i] = begin_thread(use_permits, &permits);
  for (int i = 0; i < 6; i++)
    assert_int_equal(as_status(end_thread(threads[i])), 0);
  assert_int_equal(permits.semaphore.state, PERMITS);
}

static void *wait_for_event(void *event) { return as_pointer(snarl_event_wait((snarl_event *)event, SNARL_FOREVER)); }

static void test_event(void **state) {
  (void)state;
  snarl_event event = SNARL_EVENT_INIT("event"), zero = {.word = 0};
  assert_false(snarl_event_is_set(&event));
  assert_int_equal(snarl_event_wait(&event, SNARL_NOW), SNARL_TIMEOUT);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_event_wait(&event, SNARL_MS(15)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(15));
  assert_int_equal(snarl_event_set(&event), SNARL_OK);
  assert_int_equal(snarl_event_set(&event), SNARL_OK);
  assert_true(snarl_event_is_set(&event));
  assert_int_equal(snarl_event_wait(&event, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_event_clear(&event), SNARL_OK);
  assert_false(snarl_event_is_set(&event));
  assert_int_equal(snarl_event_destroy(&event), SNARL_OK);
  assert_int_equal(snarl_event_set(&event), SNARL_DESTROYED);
  assert_int_equal(snarl_event_clear(&event), SNARL_DESTROYED);
  assert_int_equal(snarl_event_wait(&event, SNARL_NOW), SNARL_DESTROYED);
  assert_false(snarl_event_is_set(&event));
  assert_int_equal(snarl_event_set(&zero), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_event_init(&zero, "zero"), SNARL_OK);
  assert_int_equal(snarl_event_set((snarl_event *)NULL), SNARL_INVALID);
  assert_false(snarl_event_is_set((snarl_event *)NULL));
}

/* Whoever sleeps when it is set goes on although it is cleared at once. */
static void test_event_pulse_wakes_all(void **state) {
  (void)state;
  for (int round = 0; round < 50; round++) {
    snarl_event event = SNARL_EVENT_INIT("event");
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
      threads[i] = begin_thread(wait_for_event, &event);
    if (round % 2)
      snarl_sleep(SNARL_MS(1));
    for (int done = 0; done < 3;) {
      snarl_event_set(&event);
      snarl_event_clear(&event);
      if (pthread_tryjoin_np(threads[done], NULL) == 0)
        done++;
    }
  }
}

static int runs;
static void run_once(void *argument) {
  snarl_sleep(SNARL_MS(2));
  runs += *(int *)argument;
}
static snarl_once once = SNARL_ONCE_INIT("once"), nested = SNARL_ONCE_INIT("nested"), cut = SNARL_ONCE_INIT("cut");

static void *run_it(void *unused) {
  (void)unused;
  int one = 1, status = snarl_once_run(&once, run_once, &one);
  return as_pointer(status ? status : runs == 1 ? SNARL_OK : SNARL_INVALID);
}

static void run_again(void *status) { *(int *)status = snarl_once_run(&nested, run_again, status); }
static void end_inside(void *unused) {
  (void)unused;
  pthread_exit(NULL);
}
static void *run_cut(void *unused) {
  (void)unused;
  return as_pointer(snarl_once_run(&cut, end_inside, NULL));
}

static void test_once(void **state) {
  (void)state;
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    threads[i] = begin_thread(run_it, NULL);
  for (int i = 0; i < 4; i++)
    assert_int_equal(as_status(end_thread(threads[i])), SNARL_OK);
  assert_int_equal(runs, 1);
  int status = SNARL_OK;
  assert_int_equal(snarl_once_run(&nested, run_again, &status), SNARL_OK);
  assert_int_equal(status, SNARL_DEADLOCK);
  (void)in_thread(run_cut, NULL);
  assert_int_equal(snarl_once_run(&cut, end_inside, NULL), SNARL_OWNER_ENDED);
  assert_int_equal(snarl_once_run((snarl_once *)NULL, run_once, NULL), SNARL_INVALID);
  assert_int_equal(snarl_once_run(&once, NULL, NULL), SNARL_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_semaphore_counts),
      cmocka_unit_test(test_release_wakes_as_many),
      cmocka_unit_test(test_bounded_refuses_a_release_too_many),
      cmocka_unit_test(test_semaphore_misuse_is_told),
      cmocka_unit_test(test_semaphore_contended),
      cmocka_unit_test(test_event),
      cmocka_unit_test(test_event_pulse_wakes_all),
      cmocka_unit_test(test_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
