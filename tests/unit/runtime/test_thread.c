/* SPDX-License-Identifier: MIT
 *
 * Threads, timers, thread-local values and shared variables.
 */
#include "test_runtime.h"
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *return_argument(void *argument) { return argument; }
static void *wait_for_event(void *event) {
  (void)snarl_event_wait((snarl_event *)event, SNARL_FOREVER);
  return event;
}

static void test_start_and_join(void **state) {
  (void)state;
  int value;
  snarl_thread thread = SNARL_THREAD_INIT("thread", return_argument, &value);
  assert_false(snarl_thread_is_alive(&thread));
  assert_int_equal(snarl_thread_join(&thread, SNARL_NOW), SNARL_NOT_STARTED);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  assert_int_equal(snarl_thread_start(&thread), SNARL_STARTED);
  assert_int_equal(snarl_thread_join(&thread, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_thread_join(&thread, SNARL_NOW), SNARL_OK);
  assert_false(snarl_thread_is_alive(&thread));
  assert_ptr_equal(snarl_thread_result(&thread), &value);
  assert_int_equal(snarl_thread_start(&thread), SNARL_STARTED);
}

static void test_join_times_out(void **state) {
  (void)state;
  snarl_event event = SNARL_EVENT_INIT("event");
  snarl_thread thread;
  assert_int_equal(snarl_thread_init(&thread, NULL, wait_for_event, &event), SNARL_OK);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_thread_join(&thread, SNARL_MS(15)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(15));
  assert_true(snarl_thread_is_alive(&thread));
  assert_null(snarl_thread_result(&thread));
  snarl_event_set(&event);
  assert_int_equal(snarl_thread_join(&thread, SNARL_S(30)), SNARL_OK);
  assert_ptr_equal(snarl_thread_result(&thread), &event);
  assert_memory_equal(snarl_thread_name(&thread), "Thread-", 7);
}

static void *join_it(void *thread) { return as_pointer(snarl_thread_join((snarl_thread *)thread, SNARL_FOREVER)); }

static void test_many_may_join(void **state) {
  (void)state;
  for (int round = 0; round < 30; round++) {
    snarl_event event = SNARL_EVENT_INIT("event");
    snarl_thread thread = SNARL_THREAD_INIT("thread", wait_for_event, &event);
    assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
    pthread_t joiners[3];
    for (int i = 0; i < 3; i++)
      joiners[i] = begin_thread(join_it, &thread);
    snarl_event_set(&event);
    for (int i = 0; i < 3; i++)
      assert_int_equal(as_status(end_thread(joiners[i])), SNARL_OK);
  }
}

struct counter {
  snarl_thread thread;
  int by, count;
};

static void *count(snarl_thread *self) {
  struct counter *counter = (struct counter *)self;
  counter->count += counter->by;
  return as_pointer(snarl_current_thread() == self && strcmp(snarl_thread_name(self), "counter") == 0);
}

static void test_subclass(void **state) {
  (void)state;
  struct counter counters[3] = {{.by = 1}, {.by = 2}, {.by = 3}};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(snarl_thread_init_run(&counters[i].thread, "counter", count), SNARL_OK);
    assert_int_equal(snarl_thread_start(&counters[i].thread), SNARL_OK);
  }
  for (int i = 0; i < 3; i++) {
    assert_int_equal(snarl_thread_join(&counters[i].thread, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(as_status(snarl_thread_result(&counters[i].thread)), true);
    assert_int_equal(counters[i].count, i + 1);
  }
}

static void *leave_early(void *unused) {
  (void)unused;
  pthread_exit(NULL);
}

static void test_pthread_exit_ends_it(void **state) {
  (void)state;
  snarl_thread thread = SNARL_THREAD_INIT("early", leave_early, NULL);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  assert_int_equal(snarl_thread_join(&thread, SNARL_S(30)), SNARL_OK);
  assert_null(snarl_thread_result(&thread));
}

static void *join_self(snarl_thread *self) { return as_pointer(snarl_thread_join(self, SNARL_FOREVER)); }

static void test_misuse_is_told(void **state) {
  (void)state;
  snarl_thread thread, empty = SNARL_THREAD_INIT("empty", NULL, NULL), zero = {.run = NULL};
  assert_int_equal(snarl_thread_init(&thread, NULL, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_thread_init_run(&thread, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_thread_init((snarl_thread *)NULL, NULL, return_argument, NULL), SNARL_INVALID);
  assert_int_equal(snarl_thread_start(&empty), SNARL_INVALID);
  assert_int_equal(snarl_thread_start(&zero), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_thread_start((snarl_thread *)NULL), SNARL_INVALID);
  assert_int_equal(snarl_thread_join((snarl_thread *)NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_thread_init_run(&thread, "self", join_self), SNARL_OK);
  assert_int_equal(snarl_thread_set_stack_size(&thread, 1), SNARL_INVALID);
  assert_int_equal(snarl_thread_set_stack_size(&thread, SIZE_MAX), SNARL_INVALID);
  assert_int_equal(snarl_thread_set_stack_size(&thread, 100001), SNARL_OK);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  assert_int_equal(snarl_thread_set_daemon(&thread, true), SNARL_STARTED);
  assert_int_equal(snarl_thread_set_stack_size(&thread, 0), SNARL_STARTED);
  assert_int_equal(snarl_thread_join(&thread, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(snarl_thread_result(&thread)), SNARL_DEADLOCK);
}

static void test_no_room_for_a_thread(void **state) {
  (void)state;
  snarl_thread thread = SNARL_THREAD_INIT("huge", return_argument, NULL);
  assert_int_equal(snarl_thread_set_stack_size(&thread, SIZE_MAX / 4), SNARL_OK);
  assert_int_equal(snarl_thread_start(&thread), SNARL_NO_THREAD);
  assert_int_equal(snarl_thread_join(&thread, SNARL_NOW), SNARL_NOT_STARTED);
  assert_int_equal(snarl_thread_set_stack_size(&thread, 0), SNARL_OK);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  assert_int_equal(snarl_thread_join(&thread, SNARL_FOREVER), SNARL_OK);
}

static void *see_registry(void *unused) {
  (void)unused;
  snarl_thread *found[8];
  int count = snarl_enumerate(found, 8), self = 0;
  for (int i = 0; i < count; i++)
    self += found[i] == snarl_current_thread();
  return as_pointer(count == snarl_active_count() && self == 1 && snarl_get_ident() &&
                    snarl_get_native_id() != (uint32_t)getpid());
}

static void *see_stand_in(void *unused) {
  (void)unused;
  snarl_thread *self = snarl_current_thread();
  return as_pointer(self && self != snarl_main_thread() && strncmp(snarl_thread_name(self), "Dummy-", 6) == 0);
}

static void test_registry(void **state) {
  (void)state;
  assert_ptr_equal(snarl_current_thread(), snarl_main_thread());
  assert_string_equal(snarl_thread_name(snarl_current_thread()), "MainThread");
  assert_true(snarl_thread_is_alive(snarl_main_thread()));
  assert_int_equal(snarl_get_native_id(), getpid());
  assert_int_equal(snarl_active_count(), 1);
  snarl_thread thread = SNARL_THREAD_INIT("see", see_registry, NULL);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  assert_int_equal(snarl_thread_join(&thread, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(snarl_thread_result(&thread)), true);
  assert_int_equal(as_status(in_thread(see_stand_in, NULL)), true);
}

static void test_daemons_need_no_join(void **state) {
  (void)state;
  static snarl_thread daemons[20];
  for (int i = 0; i < 20; i++) {
    assert_int_equal(snarl_thread_init(&daemons[i], NULL, return_argument, NULL), SNARL_OK);
    assert_int_equal(snarl_thread_set_daemon(&daemons[i], true), SNARL_OK);
    assert_true(snarl_thread_is_daemon(&daemons[i]));
    assert_int_equal(snarl_thread_start(&daemons[i]), SNARL_OK);
  }
  for (int i = 0; i < 20; i += 3)
    assert_int_equal(snarl_thread_join(&daemons[i], SNARL_FOREVER), SNARL_OK);
}

#ifndef __SANITIZE_THREAD__
static int status_of_child(void (*body)(void)) {
  int status = -1;
  pid_t child = fork();
  if (!child) {
    body();
    exit(1);
  }
  assert_true(child > 0 && waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *end_late(void *unused) {
  snarl_sleep(SNARL_MS(20));
  _exit(7);
  return unused;
}
static void leave_main_with_a_thread(void) {
  static snarl_thread thread = SNARL_THREAD_INIT("late", end_late, NULL);
  if (!snarl_thread_start(&thread))
    exit(2);
}
static void *never_end(void *unused) {
  snarl_sleep(SNARL_FOREVER);
  return unused;
}
static void leave_main_with_a_daemon(void) {
  static snarl_thread thread = SNARL_THREAD_INIT("endless", never_end, NULL);
  (void)alarm(60); /* for who waits for it after all */
  if (!snarl_thread_set_daemon(&thread, true) && !snarl_thread_start(&thread))
    exit(2);
}
static void exit_late(void *unused) {
  (void)unused;
  _exit(8);
}
static void leave_main_with_a_timer(void) {
  static snarl_timer timer = SNARL_TIMER_INIT("late", SNARL_MS(20), exit_late, NULL);
  if (!snarl_timer_start(&timer))
    exit(2);
}

static void test_exit_waits_but_not_for_daemons(void **state) {
  (void)state;
  assert_int_equal(status_of_child(leave_main_with_a_thread), 7);
  assert_int_equal(status_of_child(leave_main_with_a_daemon), 2);
  assert_int_equal(status_of_child(leave_main_with_a_timer), 8);
}

static snarl_event forked = SNARL_EVENT_INIT("forked");
static snarl_thread left_behind = SNARL_THREAD_INIT("left behind", wait_for_event, &forked);
static snarl_lock held_by_it = SNARL_LOCK_INIT("held by it");

static void use_everything_in_child(void) {
  snarl_thread thread = SNARL_THREAD_INIT("child's", return_argument, &thread);
  bool is_right = snarl_active_count() == 1 && snarl_current_thread() == snarl_main_thread() &&
                  snarl_thread_join(&left_behind, SNARL_FOREVER) == SNARL_OK && !snarl_thread_is_alive(&left_behind) &&
                  snarl_lock_acquire(&held_by_it, SNARL_FOREVER) == SNARL_OWNER_ENDED &&
                  snarl_thread_start(&thread) == SNARL_OK && snarl_thread_join(&thread, SNARL_FOREVER) == SNARL_OK &&
                  snarl_get_native_id() == (uint32_t)getpid();
  _exit(is_right ? 0 : 3); /* a sanitizer would miss the other threads' memory at an exit */
}

static void *fork_in_thread(void *unused) {
  (void)unused;
  return as_pointer(status_of_child(use_everything_in_child));
}

static void *hold_and_wait(void *unused) {
  (void)unused;
  (void)snarl_lock_acquire(&held_by_it, SNARL_FOREVER);
  return wait_for_event(&forked);
}

static void test_fork_leaves_the_others_behind(void **state) {
  (void)state;
  left_behind.function = hold_and_wait;
  assert_int_equal(snarl_thread_start(&left_behind), SNARL_OK);
  while (!snarl_lock_locked(&held_by_it))
    snarl_sleep(SNARL_US(100));
  assert_int_equal(status_of_child(use_everything_in_child), 0);
  snarl_thread forker = SNARL_THREAD_INIT("forker", fork_in_thread, NULL);
  assert_int_equal(snarl_thread_start(&forker), SNARL_OK);
  assert_int_equal(snarl_thread_join(&forker, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(snarl_thread_result(&forker)), 0);
  snarl_event_set(&forked);
  assert_int_equal(snarl_thread_join(&left_behind, SNARL_FOREVER), SNARL_OK);
}
#endif

static int calls[8], call_count; /* the timers' thread's, until they are joined */
static void call(void *number) { calls[call_count++] = *(int *)number; }

static snarl_event held = SNARL_EVENT_INIT("held"), gate = SNARL_EVENT_INIT("gate");
static void hold_timers(void *unused) {
  (void)unused;
  snarl_event_set(&held);
  (void)snarl_event_wait(&gate, SNARL_FOREVER);
}

/* None is called before all are started, however long that takes. They outlast a failure: they would be called still.
 */
static void test_timers_in_order(void **state) {
  (void)state;
  static int numbers[] = {0, 1, 2, 3};
  static snarl_timer timers[4], holder;
  static const int delays[] = {40, 10, 25, -5};
  call_count = 0;
  assert_int_equal(snarl_timer_init(&holder, "holder", SNARL_NOW, hold_timers, NULL), SNARL_OK);
  assert_int_equal(snarl_timer_start(&holder), SNARL_OK);
  assert_int_equal(snarl_event_wait(&held, SNARL_FOREVER), SNARL_OK);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(snarl_timer_init(&timers[i], "timer", SNARL_MS(delays[i]), call, &numbers[i]), SNARL_OK);
    assert_int_equal(snarl_timer_join(&timers[i], SNARL_NOW), SNARL_NOT_STARTED);
    assert_int_equal(snarl_timer_start(&timers[i]), SNARL_OK);
    assert_int_equal(snarl_timer_start(&timers[i]), SNARL_STARTED);
  }
  assert_int_equal(snarl_timer_join(&timers[0], SNARL_MS(1)), SNARL_TIMEOUT);
  assert_int_equal(snarl_timer_cancel(&timers[2]), 1);
  snarl_event_set(&gate);
  for (int i = 0; i < 4; i++)
    assert_int_equal(snarl_timer_join(&timers[i], SNARL_FOREVER), SNARL_OK);
  assert_int_equal(call_count, 3);
  bool is_first = timers[1].deadline < timers[0].deadline; /* unless the starts lay apart */
  assert_true(calls[0] == 3 && calls[1] == is_first && calls[2] == !is_first);
  assert_int_equal(snarl_timer_cancel(&timers[0]), 0);
}

enum { RACERS = 2000 };
static snarl_timer racers[RACERS];
static void count_call(void *unused) {
  (void)unused;
  call_count++;
}
static void *start_racers(void *unused) {
  for (int i = 0; i < RACERS; i++)
    (void)snarl_timer_start(&racers[i]);
  return unused;
}

/* Each is cancelled while it is started: it is called or cancelled, and the others keep their places. */
static void test_timers_cancelled_while_started(void **state) {
  (void)state;
  int cancelled = 0;
  call_count = 0;
  for (int i = 0; i < RACERS; i++)
    assert_int_equal(snarl_timer_init(&racers[i], "racer", SNARL_US(i % 2 * 50), count_call, NULL), SNARL_OK);
  pthread_t starter = begin_thread(start_racers, NULL);
  for (int i = 0; i < RACERS; i++) {
    while (!__atomic_load_n(&racers[i].state, __ATOMIC_ACQUIRE))
      (void)sched_yield();
    cancelled += snarl_timer_cancel(&racers[i]);
  }
  (void)end_thread(starter);
  for (int i = 0; i < RACERS; i++)
    assert_int_equal(snarl_timer_join(&racers[i], SNARL_S(60)), SNARL_OK);
  assert_int_equal(call_count, RACERS - cancelled);
}

static snarl_timer own;
static int own_status;
static void join_own(void *unused) {
  (void)unused;
  own_status = snarl_timer_join(&own, SNARL_FOREVER);
}

static void test_timer_misuse_is_told(void **state) {
  (void)state;
  snarl_timer timer;
  assert_int_equal(snarl_timer_start(&own), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_timer_init(&own, "own", SNARL_NOW, join_own, NULL), SNARL_OK);
  assert_int_equal(snarl_timer_start(&own), SNARL_OK);
  assert_int_equal(snarl_timer_join(&own, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(own_status, SNARL_DEADLOCK);
  assert_int_equal(snarl_timer_init(&timer, NULL, SNARL_NOW, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_timer_init((snarl_timer *)NULL, NULL, SNARL_NOW, call, NULL), SNARL_INVALID);
  assert_int_equal(snarl_timer_init(&timer, NULL, SNARL_S(100), call, NULL), SNARL_OK);
  assert_int_equal(snarl_timer_cancel(&timer), 1);
  assert_int_equal(snarl_timer_start(&timer), SNARL_STARTED);
  assert_int_equal(snarl_timer_cancel((snarl_timer *)NULL), SNARL_INVALID);
}

struct data {
  int value, check;
};
static int constructed, destructed;
static void construct(void *data) {
  ((struct data *)data)->check = 17;
  __atomic_add_fetch(&constructed, 1, __ATOMIC_SEQ_CST);
}
static void destruct(void *data) {
  if (((struct data *)data)->check == 17)
    __atomic_add_fetch(&destructed, 1, __ATOMIC_SEQ_CST);
}
static snarl_local local = SNARL_LOCAL_INIT("local", struct data, construct, destruct);

static void *set_local(void *value) {
  struct data *data = snarl_local_get(&local);
  bool was_new = data && data->value == 0;
  if (data)
    data->value = as_status(value);
  return as_pointer(was_new && snarl_local_get(&local) == data && data->value == as_status(value));
}

static void test_local(void **state) {
  (void)state;
  for (int i = 1; i <= 5; i++)
    assert_int_equal(as_status(in_thread(set_local, as_pointer(i))), true);
  assert_int_equal(constructed, 5);
  assert_int_equal(destructed, 5);
  assert_int_equal(as_status(set_local(as_pointer(9))), true);
  assert_int_equal(snarl_local_destroy(&local), SNARL_OK);
  assert_int_equal(destructed, 6);
  assert_null(snarl_local_get(&local));
  assert_int_equal(snarl_local_destroy(&local), SNARL_DESTROYED);
  snarl_local many[40];
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 40; i++) {
      if (round)
        assert_int_equal(snarl_local_destroy(&many[i]), SNARL_OK);
      assert_int_equal(snarl_local_init(&many[i], NULL, 8, NULL, NULL), SNARL_OK);
      uint64_t *value = snarl_local_get(&many[i]);
      assert_int_equal(*value, 0);
      *value = 1;
    }
  assert_int_equal(snarl_local_init(&many[0], NULL, 0, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_local_init((snarl_local *)NULL, NULL, 8, NULL, NULL), SNARL_INVALID);
  assert_null(snarl_local_get((snarl_local *)NULL));
}

static void test_shared(void **state) {
  (void)state;
  static SNARL_SHARED(int) number = SNARL_SHARED_INIT("number", 4);
  SNARL_SHARED(const char *) text;
  assert_int_equal(snarl_shared_init(&text, "text"), SNARL_OK);
  assert_int_equal(snarl_shared_read(&number), 4);
  assert_int_equal(snarl_shared_write(&number, 5), 5);
  assert_int_equal(snarl_shared_update(&number, += 2), 7);
  assert_string_equal(snarl_shared_write(&text, "here"), "here");
  assert_int_equal(snarl_shared_access_at(&number.object, false, NULL), SNARL_OK);
  assert_int_equal(snarl_shared_access_at(NULL, false, NULL), SNARL_INVALID);
  struct snarl_object zero = {.name = NULL};
  assert_int_equal(snarl_shared_access_at(&zero, true, NULL), SNARL_NOT_INITIALIZED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_registry), /* before others leave threads behind */
      cmocka_unit_test(test_start_and_join),
      cmocka_unit_test(test_join_times_out),
      cmocka_unit_test(test_many_may_join),
      cmocka_unit_test(test_subclass),
      cmocka_unit_test(test_pthread_exit_ends_it),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_no_room_for_a_thread),
      cmocka_unit_test(test_daemons_need_no_join),
#ifndef __SANITIZE_THREAD__ /* which cannot go on after a fork of many threads */
      cmocka_unit_test(test_exit_waits_but_not_for_daemons),
      cmocka_unit_test(test_fork_leaves_the_others_behind),
#endif
      cmocka_unit_test(test_timers_in_order),
      cmocka_unit_test(test_timers_cancelled_while_started),
      cmocka_unit_test(test_timer_misuse_is_told),
      cmocka_unit_test(test_local),
      cmocka_unit_test(test_shared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
