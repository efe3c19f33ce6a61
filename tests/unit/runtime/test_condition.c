/* SPDX-License-Identifier: MIT
 *
 * Condition: on each kind of lock, waits with and without limits, exact notification, misuse.
 */
#include "test_runtime.h"

struct waiting {
  snarl_condition *condition;
  snarl_time timeout;
  int *began;          /* waiters so far */
  const bool *is_over; /* they may time out: all have begun, and are notified as told */
};

/* Whoever has the lock after it began finds it waiting, however short its time is. */
static void *wait_once(void *argument) {
  struct waiting *waiting = argument;
  int status = SNARL_INVALID;
  snarl_with(waiting->condition) {
    ++*waiting->began;
    do
      status = snarl_condition_wait(waiting->condition, waiting->timeout);
    while (status == SNARL_TIMEOUT && !*waiting->is_over);
  }
  return as_pointer(status);
}

/* Lets `count` threads wait, then notifies as told; returns how many were woken. */
static int notify_some(snarl_condition *condition, int count, int notifications, snarl_time timeout) {
  enum { MOST = 8 };
  pthread_t threads[MOST];
  int began = 0, woken = 0;
  bool is_over = false;
  struct waiting waiting = {condition, timeout, &began, &is_over};
  for (int i = 0; i < count; i++)
    threads[i] = begin_thread(wait_once, &waiting);
  for (bool all = false; !all;)
    snarl_with(condition) {
      is_over = all = began == count;
      if (all && notifications >= 0)
        assert_int_equal(snarl_condition_notify(condition, notifications),
                         notifications < count ? notifications : count);
    }
  for (int i = 0; i < count; i++) {
    int status = as_status(end_thread(threads[i]));
    assert_true(status == SNARL_OK || status == SNARL_TIMEOUT);
    woken += status == SNARL_OK;
  }
  return woken;
}

static void test_notify_wakes_exactly(void **state) {
  (void)state;
  snarl_condition condition = SNARL_CONDITION_INIT("condition");
  assert_int_equal(notify_some(&condition, 3, 3, SNARL_FOREVER), 3);
  assert_int_equal(notify_some(&condition, 3, 1, SNARL_MS(300)), 1);
  assert_int_equal(notify_some(&condition, 3, 0, SNARL_MS(20)), 0);
  assert_int_equal(notify_some(&condition, 4, INT32_MAX, SNARL_FOREVER), 4);
  assert_int_equal(snarl_condition_destroy(&condition), SNARL_OK);
}

static void test_works_on_each_lock(void **state) {
  (void)state;
  snarl_lock lock = SNARL_LOCK_INIT("lock");
  snarl_rlock rlock = SNARL_RLOCK_INIT("rlock");
  snarl_condition on_lock = SNARL_CONDITION_INIT_ON("on lock", &lock);
  snarl_condition on_rlock = SNARL_CONDITION_INIT_ON("on rlock", &rlock), made;
  assert_int_equal(notify_some(&on_lock, 2, 2, SNARL_FOREVER), 2);
  assert_int_equal(notify_some(&on_rlock, 2, 2, SNARL_FOREVER), 2);
  assert_int_equal(snarl_condition_init_on(&made, "made", &lock), SNARL_OK);
  assert_int_equal(notify_some(&made, 2, 2, SNARL_FOREVER), 2);
  assert_int_equal(snarl_condition_destroy(&made), SNARL_OK);
  assert_int_equal(snarl_condition_init(&made, NULL), SNARL_OK);
  assert_int_equal(notify_some(&made, 2, 2, SNARL_FOREVER), 2);
}

static void *try_rlock(void *lock) {
  int status = snarl_rlock_acquire((snarl_rlock *)lock, SNARL_NOW);
  if (!status)
    snarl_rlock_release((snarl_rlock *)lock);
  return as_pointer(status);
}

struct full_release {
  snarl_condition condition;
  bool is_waiting;
};

static bool is_waiting_now(void *argument) { return *(bool *)argument; }

static void *release_fully(void *argument) {
  struct full_release *full = argument;
  int depth = 0;
  for (int i = 0; i < 3; i++)
    snarl_condition_acquire(&full->condition, SNARL_FOREVER);
  full->is_waiting = true;
  snarl_condition_notify_all(&full->condition);
  int status = snarl_condition_wait(&full->condition, SNARL_FOREVER);
  while (snarl_condition_release(&full->condition) == SNARL_OK)
    depth++;
  return as_pointer(status ? status : depth);
}

static void test_wait_gives_up_and_restores_an_rlock(void **state) {
  (void)state;
  struct full_release full = {.condition = SNARL_CONDITION_INIT("full")};
  snarl_condition_acquire(&full.condition, SNARL_FOREVER);
  pthread_t thread = begin_thread(release_fully, &full);
  assert_int_equal(snarl_condition_wait_for(&full.condition, SNARL_S(10), is_waiting_now, &full.is_waiting), SNARL_OK);
  assert_int_equal(snarl_condition_notify(&full.condition, 1), 1);
  assert_int_equal(as_status(in_thread(try_rlock, &full.condition.own)), SNARL_TIMEOUT);
  snarl_condition_release(&full.condition);
  assert_int_equal(as_status(end_thread(thread)), 3);
}

static void test_waits_time_out(void **state) {
  (void)state;
  snarl_condition condition = SNARL_CONDITION_INIT("condition");
  snarl_with(&condition) {
    snarl_time begin = snarl_clock();
    assert_int_equal(snarl_condition_wait(&condition, SNARL_MS(15)), SNARL_TIMEOUT);
    assert_lasted(begin, SNARL_MS(15));
    assert_int_equal(snarl_condition_wait(&condition, SNARL_NOW), SNARL_TIMEOUT);
    begin = snarl_clock();
    assert_int_equal(snarl_condition_wait_until(&condition, SNARL_MS(15), false), SNARL_TIMEOUT);
    assert_lasted(begin, SNARL_MS(15));
    assert_int_equal(snarl_condition_wait_until(&condition, SNARL_NOW, true), SNARL_OK);
    bool never = false;
    assert_int_equal(snarl_condition_wait_for(&condition, SNARL_MS(2), is_waiting_now, &never), SNARL_TIMEOUT);
    assert_int_equal(snarl_condition_notify_all(&condition), 0); /* nobody is left in the list */
  }
}

static void *notify_it(void *condition) { return as_pointer(snarl_condition_notify((snarl_condition *)condition, 1)); }

static void test_misuse_is_told(void **state) {
  (void)state;
  snarl_condition condition = SNARL_CONDITION_INIT("condition"), zero = {.lock = NULL};
  assert_int_equal(snarl_condition_wait(&condition, SNARL_FOREVER), SNARL_NOT_HELD);
  assert_int_equal(snarl_condition_notify(&condition, 1), SNARL_NOT_HELD);
  assert_int_equal(snarl_condition_acquire(&condition, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(in_thread(notify_it, &condition)), SNARL_NOT_OWNER);
  assert_int_equal(snarl_condition_notify(&condition, -1), SNARL_INVALID);
  assert_int_equal(snarl_condition_wait_for(&condition, SNARL_NOW, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_condition_destroy(&condition), SNARL_IN_USE);
  assert_int_equal(snarl_condition_release(&condition), SNARL_OK);
  assert_int_equal(snarl_condition_destroy(&condition), SNARL_OK);
  assert_int_equal(snarl_condition_wait(&condition, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_condition_acquire(&zero, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_condition_wait((snarl_condition *)NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_condition_init_on(&zero, "zero", &condition), SNARL_DESTROYED);
}

static void *notify_and_keep(void *condition) {
  int status = snarl_condition_acquire((snarl_condition *)condition, SNARL_FOREVER);
  return as_pointer(status ? status : snarl_condition_notify((snarl_condition *)condition, 1));
}

/* The lock cannot be had back. */
static void test_owner_ends_during_a_wait(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    snarl_condition condition = SNARL_CONDITION_INIT("condition");
    int began = 0;
    bool is_over = false;
    struct waiting waiting = {&condition, round % 2 ? SNARL_S(60) : SNARL_MS(1), &began, &is_over};
    pthread_t waiter = begin_thread(wait_once, &waiting);
    for (bool all = false; !all;)
      snarl_with(&condition) all = began == 1;
    assert_int_equal(as_status(in_thread(notify_and_keep, &condition)), 1);
    assert_int_equal(as_status(end_thread(waiter)), SNARL_OWNER_ENDED);
    assert_null(condition.waiters);
    assert_null(condition.own.notified);
  }
}

/* Producers and consumers over a buffer of one place, with notify_all. */
struct box {
  snarl_condition condition;
  int full, value;
  long sum;
};
enum { ITEMS = 3000 };

static void *produce(void *argument) {
  struct box *box = argument;
  for (int i = 1; i <= ITEMS; i++)
    snarl_with(&box->condition) {
      (void)snarl_condition_wait_until(&box->condition, SNARL_FOREVER, !box->full);
      box->full = 1;
      box->value = i;
      snarl_condition_notify_all(&box->condition);
    }
  return NULL;
}

static void *consume(void *argument) {
  struct box *box = argument;
  for (int i = 0; i < ITEMS; i++)
    snarl_with(&box->condition) {
      (void)snarl_condition_wait_until(&box->condition, i % 2 ? SNARL_FOREVER : SNARL_S(30), box->full);
      box->full = 0;
      box->sum += box->value;
      snarl_condition_notify_all(&box->condition);
    }
  return NULL;
}

static void test_producers_and_consumers(void **state) {
  (void)state;
  struct box box = {.condition = SNARL_CONDITION_INIT("box")};
  pthread_t threads[] = {begin_thread(produce, &box), begin_thread(consume, &box), begin_thread(produce, &box),
                         begin_thread(consume, &box)};
  for (int i = 0; i < 4; i++)
    (void)end_thread(threads[i]);
  assert_int_equal(box.sum, 2L * ITEMS * (ITEMS + 1) / 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_notify_wakes_exactly),
      cmocka_unit_test(test_works_on_each_lock),
      cmocka_unit_test(test_wait_gives_up_and_restores_an_rlock),
      cmocka_unit_test(test_waits_time_out),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_owner_ends_during_a_wait),
      cmocka_unit_test(test_producers_and_consumers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
