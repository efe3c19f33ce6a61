/* SPDX-License-Identifier: MIT
 *
 * Barrier: passages, the action, and all the ways in which a round can end otherwise.
 */
#include "test_runtime.h"

enum { PARTIES = 3, ROUNDS = 500 };

struct meeting {
  snarl_barrier barrier;
  snarl_time timeout;
  uint32_t indices; /* sum over all */
  int actions, result;
};

static int count_action(void *argument) {
  struct meeting *meeting = argument;
  meeting->actions++;
  return meeting->result;
}

static void meeting_init(struct meeting *meeting, int parties) {
  *meeting = (struct meeting){.timeout = SNARL_FOREVER};
  assert_int_equal(snarl_barrier_init(&meeting->barrier, "meeting", parties, count_action, meeting), SNARL_OK);
}

static void *meet(void *argument) {
  struct meeting *meeting = argument;
  int index = snarl_barrier_wait(&meeting->barrier, meeting->timeout);
  if (index > 0)
    __atomic_add_fetch(&meeting->indices, (uint32_t)index, __ATOMIC_SEQ_CST);
  return as_pointer(index);
}

static void *meet_often(void *argument) {
  for (int i = 1; i <= ROUNDS; i++) {
    int index = as_status(meet(argument));
    if (index < 0)
      return as_pointer(index);
    if (((struct meeting *)argument)->actions < i) /* the action comes before anybody goes on */
      return as_pointer(-100);
  }
  return NULL;
}

static void test_all_pass_together(void **state) {
  (void)state;
  struct meeting meeting;
  meeting_init(&meeting, PARTIES);
  pthread_t threads[PARTIES];
  for (int i = 0; i < PARTIES; i++)
    threads[i] = begin_thread(meet_often, &meeting);
  for (int i = 0; i < PARTIES; i++)
    assert_int_equal(as_status(end_thread(threads[i])), 0);
  assert_int_equal(meeting.actions, ROUNDS);
  assert_int_equal(meeting.indices, ROUNDS * (0 + 1 + 2));
  assert_int_equal(snarl_barrier_destroy(&meeting.barrier), SNARL_OK);
}

static void test_alone(void **state) {
  (void)state;
  snarl_barrier barrier = SNARL_BARRIER_INIT("alone", 1);
  for (int i = 0; i < 3; i++)
    assert_int_equal(snarl_barrier_wait(&barrier, SNARL_NOW), 0);
  assert_int_equal(snarl_barrier_parties(&barrier), 1);
}

static void await_arrivals(struct meeting *meeting, int count) {
  while (snarl_barrier_n_waiting(&meeting->barrier) < count)
    snarl_sleep(SNARL_US(100));
}

static void test_time_limit_breaks_it(void **state) {
  (void)state;
  struct meeting meeting;
  meeting_init(&meeting, PARTIES);
  pthread_t thread = begin_thread(meet, &meeting);
  await_arrivals(&meeting, 1);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_barrier_wait(&meeting.barrier, SNARL_MS(15)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(15));
  assert_int_equal(as_status(end_thread(thread)), SNARL_BROKEN);
  assert_true(snarl_barrier_broken(&meeting.barrier));
  assert_int_equal(snarl_barrier_wait(&meeting.barrier, SNARL_FOREVER), SNARL_BROKEN);
  assert_int_equal(snarl_barrier_n_waiting(&meeting.barrier), 0);
  assert_int_equal(snarl_barrier_reset(&meeting.barrier), SNARL_OK);
  assert_false(snarl_barrier_broken(&meeting.barrier));
  assert_int_equal(snarl_barrier_wait(&meeting.barrier, SNARL_NOW), SNARL_TIMEOUT);
}

static void test_abort_and_reset_let_all_go(void **state) {
  (void)state;
  for (int round = 0; round < 40; round++) {
    struct meeting meeting;
    meeting_init(&meeting, PARTIES);
    pthread_t one = begin_thread(meet, &meeting), two = begin_thread(meet, &meeting);
    await_arrivals(&meeting, 2);
    assert_int_equal(snarl_barrier_destroy(&meeting.barrier), SNARL_IN_USE);
    bool aborts = round % 2;
    assert_int_equal(aborts ? snarl_barrier_abort(&meeting.barrier) : snarl_barrier_reset(&meeting.barrier), SNARL_OK);
    assert_int_equal(snarl_barrier_broken(&meeting.barrier), aborts);
    assert_int_equal(as_status(end_thread(one)), SNARL_BROKEN);
    assert_int_equal(as_status(end_thread(two)), SNARL_BROKEN);
    if (aborts)
      continue;
    one = begin_thread(meet, &meeting), two = begin_thread(meet, &meeting); /* it works again */
    assert_true(as_status(meet(&meeting)) >= 0);
    assert_true(as_status(end_thread(one)) >= 0);
    assert_true(as_status(end_thread(two)) >= 0);
  }
}

static void test_failing_action_breaks_it(void **state) {
  (void)state;
  struct meeting meeting;
  meeting_init(&meeting, 2);
  meeting.result = -1;
  pthread_t thread = begin_thread(meet, &meeting);
  assert_int_equal(as_status(meet(&meeting)), SNARL_BROKEN);
  assert_int_equal(as_status(end_thread(thread)), SNARL_BROKEN);
  assert_true(snarl_barrier_broken(&meeting.barrier));
  assert_int_equal(meeting.actions, 1);
}

static int slow_action(void *unused) {
  (void)unused;
  snarl_sleep(SNARL_MS(40));
  return 0;
}

/* All have arrived: the time limit of a waiter does not count while the action runs. */
static void test_action_is_waited_for(void **state) {
  (void)state;
  struct meeting meeting = {.barrier = SNARL_BARRIER_INIT_ACTION("slow", 2, slow_action, NULL),
                            .timeout = SNARL_MS(20)};
  pthread_t thread = begin_thread(meet, &meeting);
  await_arrivals(&meeting, 1);
  assert_int_equal(snarl_barrier_wait(&meeting.barrier, SNARL_FOREVER), 1);
  assert_int_equal(as_status(end_thread(thread)), 0);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  snarl_barrier none = SNARL_BARRIER_INIT("none", 0), zero = {.parties = 1};
  assert_int_equal(snarl_barrier_wait(&none, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_barrier_wait(&zero, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_barrier_init(&zero, "zero", 0, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_barrier_init(&zero, "zero", -3, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_barrier_init((snarl_barrier *)NULL, "none", 1, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_barrier_init(&zero, "zero", 1, NULL, NULL), SNARL_OK);
  assert_int_equal(snarl_barrier_destroy(&zero), SNARL_OK);
  assert_int_equal(snarl_barrier_wait(&zero, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_barrier_abort(&zero), SNARL_DESTROYED);
  assert_int_equal(snarl_barrier_reset((snarl_barrier *)NULL), SNARL_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_pass_together),        cmocka_unit_test(test_alone),
      cmocka_unit_test(test_time_limit_breaks_it),     cmocka_unit_test(test_abort_and_reset_let_all_go),
      cmocka_unit_test(test_failing_action_breaks_it), cmocka_unit_test(test_action_is_waited_for),
      cmocka_unit_test(test_misuse_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
