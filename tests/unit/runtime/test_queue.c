/* SPDX-License-Identifier: MIT
 *
 * Queues: orders, limits, time limits, closing, joining, misuse; and that nothing is lost or doubled among many
 * threads.
 */
#include "test_runtime.h"
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static int number(const void *item) { return (int)(intptr_t)item; }
static void *item(int number) { return (void *)(intptr_t)number; }

static int get_now(snarl_queue *queue) {
  void *got = NULL;
  int status = snarl_queue_get(queue, &got, SNARL_NOW);
  return status ? status : number(got);
}

static void put_all(snarl_queue *queue, const int *numbers, size_t count) {
  for (size_t i = 0; i < count; i++)
    assert_int_equal(snarl_queue_put(queue, item(numbers[i]), SNARL_NOW), SNARL_OK);
}

static void expect_all(snarl_queue *queue, const int *numbers, size_t count) {
  for (size_t i = 0; i < count; i++)
    assert_int_equal(get_now(queue), numbers[i]);
  assert_int_equal(get_now(queue), SNARL_TIMEOUT);
  assert_true(snarl_queue_empty(queue));
}

static void test_orders(void **state) {
  (void)state;
  static const int in[] = {3, 1, 2, 1, 5}, back[] = {5, 1, 2, 1, 3}, sorted[] = {1, 1, 2, 3, 5};
  static snarl_queue bounded = SNARL_QUEUE_INIT("bounded", 5), endless = SNARL_QUEUE_INIT("endless", 0),
                     lifo = SNARL_LIFO_QUEUE_INIT("lifo", 0), priority = SNARL_PRIORITY_QUEUE_INIT("p", 0, NULL);
  snarl_queue *const queues[] = {&bounded, &endless, &lifo, &priority};
  static const int *const out[] = {in, in, back, sorted};
  for (int round = 0; round < 3; round++)
    for (size_t i = 0; i < 4; i++) {
      put_all(queues[i], in, 5);
      assert_int_equal(snarl_queue_size(queues[i]), 5);
      expect_all(queues[i], out[i], 5);
    }
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(snarl_queue_destroy(queues[i]), SNARL_OK);
}

struct job {
  int urgency, place;
};
static int by_urgency(const void *left, const void *right) {
  return ((const struct job *)left)->urgency - ((const struct job *)right)->urgency;
}

static void test_equal_priorities_keep_their_order(void **state) {
  (void)state;
  snarl_queue queue;
  struct job jobs[300];
  assert_int_equal(snarl_priority_queue_init(&queue, "jobs", 0, by_urgency), SNARL_OK);
  for (int i = 0; i < 300; i++) {
    jobs[i] = (struct job){i * 7919 % 10, i};
    assert_int_equal(snarl_queue_put(&queue, &jobs[i], SNARL_NOW), SNARL_OK);
  }
  const struct job *last = NULL;
  for (void *next; snarl_queue_get(&queue, &next, SNARL_NOW) == SNARL_OK; last = next) {
    const struct job *job = next;
    assert_true(!last || last->urgency < job->urgency || (last->urgency == job->urgency && last->place < job->place));
  }
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}

static void test_limits(void **state) {
  (void)state;
  static const size_t limits[] = {1, 2, 3, 7, 64, 100000};
  for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
    snarl_queue queue;
    assert_int_equal(snarl_queue_init(&queue, NULL, limits[l]), SNARL_OK);
    for (int round = 0; round < 3; round++) {
      for (size_t i = 0; i < limits[l]; i++)
        assert_int_equal(snarl_queue_put_nowait(&queue, item((int)i)), SNARL_OK);
      assert_true(snarl_queue_full(&queue));
      assert_int_equal(snarl_queue_put_nowait(&queue, item(-1)), SNARL_TIMEOUT);
      for (size_t i = 0; i < limits[l]; i++)
        assert_int_equal(get_now(&queue), (int)i);
      assert_int_equal(get_now(&queue), SNARL_TIMEOUT);
    }
    assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
  }
}

static void test_times_out(void **state) {
  (void)state;
  snarl_queue queue = SNARL_QUEUE_INIT("queue", 1);
  void *got = item(77);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_queue_get(&queue, &got, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(20));
  assert_int_equal(number(got), 77);
  assert_int_equal(snarl_queue_put(&queue, item(1), SNARL_FOREVER), SNARL_OK);
  begin = snarl_clock();
  assert_int_equal(snarl_queue_put(&queue, item(2), SNARL_MS(20)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(20));
  assert_int_equal(snarl_queue_join(&queue, SNARL_MS(1)), SNARL_TIMEOUT);
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}

static void *get_blocking(void *queue) {
  void *got = NULL;
  int status = snarl_queue_get(queue, &got, SNARL_FOREVER);
  return status ? as_pointer(status) : got;
}
static void *put_blocking(void *queue) {
  return as_pointer(snarl_queue_put((snarl_queue *)queue, item(9), SNARL_FOREVER));
}

static void test_close(void **state) {
  (void)state;
  snarl_queue kinds[] = {SNARL_QUEUE_INIT("bounded", 2), SNARL_QUEUE_INIT("endless", 0),
                         SNARL_LIFO_QUEUE_INIT("lifo", 2)};
  for (int i = 0; i < 3; i++) {
    snarl_queue *queue = &kinds[i];
    pthread_t getter = begin_thread(get_blocking, queue);
    assert_int_equal(snarl_queue_put(queue, item(5), SNARL_NOW), SNARL_OK);
    assert_int_equal(number(end_thread(getter)), 5);
    getter = begin_thread(get_blocking, queue);
    assert_int_equal(snarl_queue_close(queue), SNARL_OK);
    assert_int_equal(as_status(end_thread(getter)), SNARL_CLOSED);
    assert_int_equal(snarl_queue_close(queue), SNARL_CLOSED);
    assert_int_equal(snarl_queue_put(queue, item(6), SNARL_NOW), SNARL_CLOSED);
    assert_int_equal(snarl_queue_destroy(queue), SNARL_OK);
  }
}

static void test_close_leaves_what_is_in_it(void **state) {
  (void)state;
  snarl_queue queue = SNARL_QUEUE_INIT("queue", 1);
  assert_int_equal(snarl_queue_put(&queue, item(1), SNARL_NOW), SNARL_OK);
  pthread_t putter = begin_thread(put_blocking, &queue);
  assert_int_equal(snarl_queue_close(&queue), SNARL_OK);
  assert_int_equal(as_status(end_thread(putter)), SNARL_CLOSED);
  assert_int_equal(get_now(&queue), 1);
  assert_int_equal(get_now(&queue), SNARL_CLOSED);
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}

static void *deal_with_all(void *queue) {
  void *got;
  while (snarl_queue_get(queue, &got, SNARL_FOREVER) == SNARL_OK)
    if (snarl_queue_task_done((snarl_queue *)queue))
      abort();
  return NULL;
}

static void test_join(void **state) {
  (void)state;
  snarl_queue queue = SNARL_QUEUE_INIT("queue", 3);
  assert_int_equal(snarl_queue_join(&queue, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_queue_task_done(&queue), SNARL_TOO_MANY);
  pthread_t workers[2] = {begin_thread(deal_with_all, &queue), begin_thread(deal_with_all, &queue)};
  for (int i = 0; i < 1000; i++)
    assert_int_equal(snarl_queue_put(&queue, item(i), SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_queue_join(&queue, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_queue_size(&queue), 0);
  assert_int_equal(snarl_queue_close(&queue), SNARL_OK);
  end_thread(workers[0]);
  end_thread(workers[1]);
  assert_int_equal(snarl_queue_task_done(&queue), SNARL_TOO_MANY);
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  static snarl_queue zero;
  void *got;
  assert_int_equal(snarl_queue_put((snarl_queue *)NULL, NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_queue_get((snarl_queue *)NULL, &got, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_queue_init((snarl_queue *)NULL, "none", 1), SNARL_INVALID);
  assert_int_equal(snarl_queue_init(&zero, "vast", SIZE_MAX), SNARL_INVALID);
  assert_int_equal(snarl_queue_put(&zero, NULL, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_queue_init(&zero, "queue", 1), SNARL_OK);
  assert_int_equal(snarl_queue_get(&zero, NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_queue_destroy(&zero), SNARL_OK);
  assert_int_equal(snarl_queue_put(&zero, NULL, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_queue_close(&zero), SNARL_DESTROYED);
  assert_int_equal(snarl_queue_join(&zero, SNARL_NOW), SNARL_DESTROYED);
}

static _Atomic int putter_tid;
static void *fill_and_wait(void *queue) {
  putter_tid = gettid();
  return put_blocking(queue);
}

/* The thread sleeps in the kernel. */
static bool is_asleep(int tid) {
  char path[64], state = 0;
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
  fclose(file);
  return state == 'S';
}

static void test_destroy_in_use(void **state) {
  (void)state;
  snarl_queue queue = SNARL_QUEUE_INIT("queue", 1);
  assert_int_equal(snarl_queue_put(&queue, item(1), SNARL_NOW), SNARL_OK);
  pthread_t putter = begin_thread(fill_and_wait, &queue);
  while (!putter_tid || !is_asleep(putter_tid))
    sched_yield();
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_IN_USE);
  assert_int_equal(get_now(&queue), 1);
  assert_int_equal(as_status(end_thread(putter)), SNARL_OK);
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}

/* A queue for one answer, which ends as soon as the answer is there. */
static snarl_queue *volatile questions;
static void *answer(void *unused) {
  void *got;
  while (snarl_queue_get(questions, &got, SNARL_FOREVER) == SNARL_OK)
    if (snarl_queue_put((snarl_queue *)got, item(1), SNARL_NOW))
      abort();
  return unused;
}
static void test_queue_for_one_answer(void **state) {
  (void)state;
  snarl_queue queue = SNARL_QUEUE_INIT("questions", 0);
  questions = &queue;
  pthread_t workers[2] = {begin_thread(answer, NULL), begin_thread(answer, NULL)};
  for (int i = 0; i < 5000; i++) {
    snarl_queue reply;
    void *got = NULL;
    assert_int_equal(i % 3 == 0   ? snarl_queue_init(&reply, "reply", 1)
                     : i % 3 == 1 ? snarl_queue_init(&reply, "reply", 0)
                                  : snarl_lifo_queue_init(&reply, "reply", 1),
                     SNARL_OK);
    assert_int_equal(snarl_queue_put(&queue, &reply, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_queue_get(&reply, &got, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_queue_destroy(&reply), SNARL_OK);
  }
  assert_int_equal(snarl_queue_close(&queue), SNARL_OK);
  end_thread(workers[0]);
  end_thread(workers[1]);
  assert_int_equal(snarl_queue_destroy(&queue), SNARL_OK);
}

enum { THREADS = 3, EACH = 20000 };
static _Atomic int seen[THREADS * EACH];
static snarl_queue *shared;
static _Atomic int next_producer;

static void *produce(void *unused) {
  int from = next_producer++ * EACH;
  for (int i = 0; i < EACH; i++)
    if (snarl_queue_put(shared, item(from + i), i % 5 ? SNARL_FOREVER : SNARL_S(30)))
      abort();
  return unused;
}
static void *consume(void *unused) {
  void *got;
  for (int status; (status = snarl_queue_get(shared, &got, SNARL_US(50))) != SNARL_CLOSED;)
    if (status == SNARL_OK)
      seen[number(got)]++;
  return unused;
}

static void crowd(snarl_queue *queue) {
  pthread_t producers[THREADS], consumers[THREADS];
  shared = queue;
  next_producer = 0;
  for (int i = 0; i < THREADS; i++)
    producers[i] = begin_thread(produce, NULL), consumers[i] = begin_thread(consume, NULL);
  for (int i = 0; i < THREADS; i++)
    end_thread(producers[i]);
  assert_int_equal(snarl_queue_close(queue), SNARL_OK);
  for (int i = 0; i < THREADS; i++)
    end_thread(consumers[i]);
  for (int i = 0; i < THREADS * EACH; i++) {
    assert_int_equal(seen[i], 1);
    seen[i] = 0;
  }
  assert_int_equal(snarl_queue_destroy(queue), SNARL_OK);
}

static void test_crowds(void **state) {
  (void)state;
  snarl_queue queues[] = {SNARL_QUEUE_INIT("one", 1),       SNARL_QUEUE_INIT("ring", 37),
                          SNARL_QUEUE_INIT("endless", 0),   SNARL_QUEUE_INIT("long", 70000),
                          SNARL_LIFO_QUEUE_INIT("lifo", 5), SNARL_PRIORITY_QUEUE_INIT("priority", 0, NULL)};
  for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
    crowd(&queues[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_orders),
      cmocka_unit_test(test_equal_priorities_keep_their_order),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_times_out),
      cmocka_unit_test(test_close),
      cmocka_unit_test(test_close_leaves_what_is_in_it),
      cmocka_unit_test(test_join),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_destroy_in_use),
      cmocka_unit_test(test_crowds),
      cmocka_unit_test(test_queue_for_one_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
