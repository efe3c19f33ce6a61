/* SPDX-License-Identifier: MIT
 *
 * Event counts, queues, futures and executors under all interleavings of a few threads (see model.h): nobody sleeps for
 * ever, what is put is got once, what is submitted is run or cancelled once, and all memory is given back. The threads
 * of an executor are threads of the model.
 */
#include "model.h"
/* NOLINTBEGIN(bugprone-suspicious-include): thread-local variables are changed over here, and the chain of a queue is
 * given a low limit. */
#include "futures/executor.c"
#include "futures/future.c"
#include "threading/queue.c"
/* NOLINTEND(bugprone-suspicious-include) */
#include <snarl/snarl.h>

enum { SOON = 1 }; /* a time limit, which may pass at any point */

/* ---------------------------------------------------------------- Memory */
void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *memory);
static long allocations, allocations_before;
void *__wrap_malloc(size_t size) { return allocations++, __real_malloc(size); }
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return allocations++, __real_aligned_alloc(alignment, size);
}
void *__wrap_realloc(void *memory, size_t size) {
  allocations += memory == NULL;
  return __real_realloc(memory, size);
}
void *__wrap_calloc(size_t count, size_t size) { return allocations++, __real_calloc(count, size); }
void __wrap_free(void *memory) {
  allocations -= memory != NULL;
  __real_free(memory);
}

static void all_given_back(void) { model_check(allocations == allocations_before); }

/* ----------------------------------------------------------- Event count */
static struct snarli_eventcount sleepers;
static uint32_t items;
static int got;

static void eventcount_begin(void) {
  sleepers.state = 0;
  items = 0;
  got = 0;
}
static bool take(void) {
  uint32_t count = snarli_load(&items);
  while (count)
    if (snarli_cas(&items, &count, count - 1))
      return true;
  return false;
}
static bool take_until(int64_t deadline) {
  while (!take()) {
    uint32_t key = snarli_eventcount_announce(&sleepers);
    if (take()) {
      snarli_eventcount_leave(&sleepers, key);
      return true;
    }
    if (!snarli_eventcount_sleep(&sleepers, key, deadline)) {
      snarli_eventcount_leave(&sleepers, key);
      return take();
    }
  }
  return true;
}
static void takes(void) { got += take_until(SNARLI_NEVER); }
static void takes_soon(void) { got += take_until(1); }
static void gives(void) {
  (void)snarli_add(&items, 1);
  snarli_eventcount_notify(&sleepers);
}
static void gives_twice(void) { gives(), gives(); }
static void takes_twice(void) { takes(), takes(); }
static void gives_two(void) {
  (void)snarli_add(&items, 2);
  snarli_eventcount_wake(&sleepers, true);
}
static void eventcount_end_2(void) { model_check(items + (unsigned)got == 2); }
static void eventcount_end_3(void) { model_check(items + (unsigned)got == 3); }

/* ----------------------------------------------------------------- Queue */
static snarl_queue queue, other;
static int sum, closed, timed_out;

/* Each schedule begins alike: with event counts that have not been used. */
static void forget(void) {
  for (struct snarli_kept *kept = kept_bodies; kept; kept = kept->next) {
    struct snarli_queue_body *body = (struct snarli_queue_body *)kept;
    body->items.state = body->places.state = body->all_done.state = 0;
  }
  for (struct snarli_kept *kept = kept_pools; kept; kept = kept->next)
    ((struct snarli_pool *)kept)->work.state = 0;
}
static void counts_begin(void) {
  forget();
  sum = got = closed = timed_out = 0;
  allocations_before = allocations;
}
static void queue_begin_kind(snarl_queue kind) {
  queue = kind;
  counts_begin();
}
static void ring_1_begin(void) { queue_begin_kind((snarl_queue)SNARL_QUEUE_INIT("ring", 1)); }
static void ring_2_begin(void) { queue_begin_kind((snarl_queue)SNARL_QUEUE_INIT("ring", 2)); }
static void chain_begin(void) { queue_begin_kind((snarl_queue)SNARL_QUEUE_INIT("chain", 0)); }
static void chain_1_begin(void) {
  chain_begin();
  model_check(snarl_queue_put(&queue, NULL, SNARL_NOW) == SNARL_OK); /* makes it before its limit is lowered */
  void *item;
  model_check(snarl_queue_get(&queue, &item, SNARL_NOW) == SNARL_OK);
  model_check(snarl_queue_task_done(&queue) == SNARL_OK);
  queue.body->chain->limit = 1;
}
static void lifo_begin(void) { queue_begin_kind((snarl_queue)SNARL_LIFO_QUEUE_INIT("lifo", 1)); }

static int put_item(intptr_t number, snarl_time timeout) {
  int status = snarl_queue_put(&queue, (void *)number, timeout);
  model_check(status == SNARL_OK || status == SNARL_CLOSED || (status == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  closed += status == SNARL_CLOSED;
  timed_out += status == SNARL_TIMEOUT;
  sum += status ? 0 : (int)number;
  return status;
}
static int get_item(snarl_time timeout) {
  void *item = NULL;
  int status = snarl_queue_get(&queue, &item, timeout);
  model_check(status == SNARL_OK || status == SNARL_CLOSED || (status == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  closed += status == SNARL_CLOSED;
  got += status ? 0 : (int)(intptr_t)item;
  return status;
}
static void puts_1(void) { (void)put_item(1, SNARL_FOREVER); }
static void puts_2(void) { (void)put_item(2, SNARL_FOREVER); }
static void puts_1_and_2(void) { puts_1(), puts_2(); }
static void puts_4_soon(void) { (void)put_item(4, SOON); }
static void gets(void) { (void)get_item(SNARL_FOREVER); }
static void gets_twice(void) { gets(), gets(); }
static void gets_soon(void) { (void)get_item(SOON); }
static void closes(void) { model_check(snarl_queue_close(&queue) == SNARL_OK); }
static void gets_all(void) {
  while (get_item(SNARL_FOREVER) == SNARL_OK)
    ;
}
static void puts_1_and_closes(void) { puts_1(), closes(); }

static void queue_ends(void) {
  while (get_item(SNARL_NOW) == SNARL_OK)
    ;
  model_check(sum == got);
  model_check(snarl_queue_empty(&queue));
  model_check(snarl_queue_destroy(&queue) == SNARL_OK);
  all_given_back();
}
static void queue_end_6(void) {
  model_check(sum == 6);
  queue_ends();
}
static void queue_end_3(void) {
  model_check(sum == 3);
  queue_ends();
}

static void deals_with_one(void) {
  gets();
  model_check(snarl_queue_task_done(&queue) == SNARL_OK);
}
static void joins(void) {
  puts_1();
  model_check(snarl_queue_join(&queue, SNARL_FOREVER) == SNARL_OK);
}
static void joins_soon(void) {
  int status = snarl_queue_join(&queue, SOON);
  model_check(status == SNARL_OK || status == SNARL_TIMEOUT);
}

/* The queue ends as soon as its last item is there, when who put it may not be back yet; what it was made of is another
 * queue then. */
static void gets_and_destroys(void) {
  gets();
  model_check(snarl_queue_destroy(&queue) == SNARL_OK);
  other = (snarl_queue)SNARL_QUEUE_INIT("other", 1);
  void *item = NULL;
  model_check(snarl_queue_get(&other, &item, SOON) == SNARL_TIMEOUT);
  model_check(snarl_queue_destroy(&other) == SNARL_OK);
}
static void joins_and_destroys(void) {
  joins();
  model_check(snarl_queue_destroy(&queue) == SNARL_OK);
}
static void queue_end_gone(void) {
  model_check(sum == got);
  all_given_back();
}

/* --------------------------------------------------------------- Futures */
static snarl_future *future, *second;
static int runs, called, seen_done, cancelled;
static snarl_executor pool;
static unsigned threads_refused;

static void *task(void *argument) {
  runs++;
  return argument;
}
static void *task_fails(void *argument) {
  runs++;
  return snarl_fail(1, "%p", argument);
}
static void tasks_begin_counts(void) {
  runs = called = seen_done = cancelled = closed = 0;
  threads_refused = 0;
  allocations_before = allocations;
}
static void future_begin(void) {
  tasks_begin_counts();
  future = snarli_future_new(task, &runs, 2);
}
static void future_fails_begin(void) {
  tasks_begin_counts();
  future = snarli_future_new(task_fails, &runs, 2);
}
static void two_futures_begin(void) {
  future_begin();
  second = snarli_future_new(task_fails, NULL, 2);
}
static void future_runs(void) { snarli_future_run(future); }
static void second_runs(void) { snarli_future_run(second); }
static void look_at_result(snarl_time timeout) {
  void *value = NULL;
  int status = snarl_future_result(future, timeout, &value);
  model_check(status != SNARL_OK || (value == &runs && runs == 1));
  model_check(status != SNARL_CANCELLED || !runs);
  model_check(status != SNARL_TIMEOUT || timeout != SNARL_FOREVER);
  model_check(status != SNARL_FAILED || snarl_future_error(future)->code == 1);
  seen_done += status != SNARL_TIMEOUT;
}
static void asks(void) { look_at_result(SNARL_FOREVER); }
static void asks_soon(void) { look_at_result(SOON); }
static void asks_and_drops(void) {
  asks();
  snarl_future_drop(future);
}
static void cancels(void) {
  int status = snarl_future_cancel(future);
  model_check(status == SNARL_OK || status == SNARL_STARTED || status == SNARL_CANCELLED);
  cancelled += status == SNARL_OK;
}
static void is_called(snarl_future *done, void *context) {
  model_check(snarl_future_done(done) && context == &called);
  called++;
}
static void adds_callback(void) { model_check(snarl_future_add_done_callback(future, is_called, &called) == SNARL_OK); }
static void drops_in_callback(snarl_future *done, void *context) {
  (void)context;
  called++;
  snarl_future_drop(done);
}
static void adds_dropping_callback(void) {
  model_check(snarl_future_add_done_callback(future, drops_in_callback, NULL) == SNARL_OK);
}
static void future_end(void) {
  model_check(runs + cancelled == 1);
  snarl_future_drop(future);
  all_given_back();
}
static void callbacks_end(void) {
  model_check(called == 2);
  future_end();
}
static void dropped_end(void) {
  model_check(called <= 1 && runs == 1);
  all_given_back();
}

static void iterates(void) {
  snarl_future *futures[] = {future, second}, *next = NULL, *before = NULL;
  snarl_auto_completed completed = NULL;
  model_check(snarl_as_completed(&completed, futures, 2) == SNARL_OK);
  for (int i = 0; i < 2; i++) {
    model_check(snarl_completed_next(completed, SNARL_FOREVER, &next) == SNARL_OK);
    model_check(next != before && snarl_future_done(next));
    before = next;
  }
  model_check(snarl_completed_next(completed, SNARL_FOREVER, &next) == SNARL_CLOSED);
}
static void iterates_once(void) {
  snarl_future *futures[] = {future, second}, *next = NULL;
  snarl_auto_completed completed = NULL;
  model_check(snarl_as_completed(&completed, futures, 2) == SNARL_OK);
  int status = snarl_completed_next(completed, SOON, &next);
  model_check(status == SNARL_TIMEOUT || (status == SNARL_OK && snarl_future_done(next)));
}
static void waits_for(enum snarl_when when, snarl_time timeout) {
  snarl_future *futures[] = {future, second};
  int count = snarl_wait(futures, 2, when, timeout);
  model_check(count == SNARL_TIMEOUT ? timeout != SNARL_FOREVER : count >= 1);
  model_check(count != 1 || when != SNARL_ALL_COMPLETED);
  model_check(count != 1 || when != SNARL_FIRST_EXCEPTION || snarl_future_done(second));
}
static void waits_for_first(void) { waits_for(SNARL_FIRST_COMPLETED, SNARL_FOREVER); }
static void waits_for_failure(void) { waits_for(SNARL_FIRST_EXCEPTION, SNARL_FOREVER); }
static void waits_for_all(void) { waits_for(SNARL_ALL_COMPLETED, SNARL_FOREVER); }
static void waits_for_all_soon(void) { waits_for(SNARL_ALL_COMPLETED, SOON); }
static void two_futures_end(void) {
  model_check(runs + cancelled == 2);
  snarl_future_drop(second);
  snarl_future_drop(future);
  all_given_back();
}

/* -------------------------------------------------------------- Executor */
struct locals {
  struct snarli_pool *pool;
  snarl_future *future;
  struct snarl_error **failing;
};
static struct locals locals[MODEL_THREADS + 1];
static void change_locals(unsigned from, unsigned to) {
  locals[from] = (struct locals){own_pool, own_future, failing};
  own_pool = locals[to].pool, own_future = locals[to].future, failing = locals[to].failing;
}

/* The threads of libsnarl, as the executor needs them. */
static struct worker *starting[MODEL_THREADS];
static unsigned thread_limit;
static void worker_runs(void) { (void)work(starting[model_self()]); }

int snarl_thread_init_at(snarl_thread *thread, const char *name, void *(*function)(void *), void *argument,
                         struct snarl_site *site) {
  *thread = (snarl_thread){.function = function, .argument = argument};
  (void)name, (void)site;
  return SNARL_OK;
}
int snarl_thread_set_daemon(snarl_thread *thread, bool is_daemon) { return !thread || !is_daemon; }
int snarl_thread_set_stack_size(snarl_thread *thread, size_t bytes) { return !thread || bytes; }
int snarl_thread_start_at(snarl_thread *thread, struct snarl_site *site) {
  unsigned number = 0;
  (void)site;
  if (!thread_limit || !model_spawn(worker_runs, &number)) {
    threads_refused++;
    return SNARL_NO_THREAD;
  }
  thread_limit--;
  starting[number] = thread->argument;
  locals[number] = (struct locals){NULL, NULL, NULL};
  thread->handle = number;
  return SNARL_OK;
}
int snarl_thread_join_at(snarl_thread *thread, snarl_time timeout, struct snarl_site *site) {
  (void)timeout, (void)site;
  model_join((unsigned)thread->handle);
  return SNARL_OK;
}

static void pool_begin_with(unsigned workers) {
  forget();
  tasks_begin_counts();
  memset(locals, 0, sizeof locals);
  own_pool = NULL, own_future = NULL, failing = NULL;
  future = second = NULL;
  thread_limit = MODEL_THREADS;
  model_check(snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = workers}) == SNARL_OK);
}
static void pool_1_begin(void) { pool_begin_with(1); }
static void pool_2_begin(void) { pool_begin_with(2); }

static int submit(snarl_future **to) {
  int status = snarl_executor_submit(&pool, task, &runs, to);
  model_check(status == SNARL_OK || status == SNARL_CLOSED);
  closed += status == SNARL_CLOSED;
  return status;
}
static void submits_two(void) {
  (void)submit(&future);
  (void)submit(&second);
}
static void submits_and_shuts_down(void) {
  submits_two();
  model_check(snarl_executor_shutdown(&pool, true, false) == SNARL_OK);
  model_check(runs == 2 && snarl_future_done(future) && snarl_future_done(second));
}
static void look_at_any(snarl_future *any) {
  void *value = NULL;
  model_check(snarl_future_result(any, SNARL_FOREVER, &value) == SNARL_OK && value == &runs);
}
static void submits_and_asks(void) {
  submits_two();
  look_at_any(future), look_at_any(second);
  model_check(snarl_executor_shutdown(&pool, true, false) == SNARL_OK);
}
static void submits_and_cancels(void) {
  submits_two();
  cancelled += snarl_future_cancel(second) == SNARL_OK;
  model_check(snarl_executor_shutdown(&pool, true, false) == SNARL_OK);
  model_check(runs + cancelled == 2);
}
static void submits_unasked(void) { (void)submit(NULL); }
static void shuts_down(void) {
  model_check(snarl_executor_shutdown(&pool, true, false) == SNARL_OK);
  model_check(!pool.pool->unjoined);
}
static void shuts_down_now(void) { model_check(snarl_executor_shutdown(&pool, true, true) == SNARL_OK); }
static void submits_one_and_shuts_down(void) {
  (void)submit(&future);
  shuts_down();
}
static void submits_and_destroys(void) {
  (void)submit(&future);
  model_check(snarl_executor_destroy(&pool) == SNARL_OK);
  model_check(runs == 1);
}
static void pool_end(void) {
  own_pool = NULL; /* this is no worker */
  model_check(!future || snarl_future_done(future));
  model_check(!second || snarl_future_done(second));
  snarl_future_drop(future);
  snarl_future_drop(second);
  if (pool.object.kind == SNARLI_ALIVE(EXECUTOR))
    model_check(snarl_executor_destroy(&pool) == SNARL_OK);
  all_given_back();
}

/* What is kept is there before anybody counts. */
static void keep_some(void) {
  snarl_queue queues[4];
  for (int i = 0; i < 4; i++) {
    model_check(snarl_queue_init(&queues[i], "kept", 1) == SNARL_OK);
    model_check(snarl_queue_put(&queues[i], NULL, SNARL_NOW) == SNARL_OK);
  }
  for (int i = 0; i < 4; i++)
    model_check(snarl_queue_destroy(&queues[i]) == SNARL_OK);
  pool_1_begin();
  model_check(snarl_executor_destroy(&pool) == SNARL_OK);
}

static const struct scenario scenarios[] = {
    {"event count", eventcount_begin, {takes, takes, gives, gives}, eventcount_end_2, 2},
    {"event count, one gives twice",
     eventcount_begin,
     {takes_twice, takes_soon, gives_twice, gives},
     eventcount_end_3,
     2},
    {"event count, wake all", eventcount_begin, {takes, takes_soon, gives_two}, eventcount_end_2, 3},
    {"ring of 1", ring_1_begin, {puts_1, puts_2, gets, gets}, queue_end_3, 1},
    {"ring of 1, twice", ring_1_begin, {puts_1_and_2, gets, gets}, queue_end_3, 1},
    {"ring of 2", ring_2_begin, {puts_1, puts_2, gets, gets}, queue_end_3, 1},
    {"ring of 2, twice", ring_2_begin, {puts_1_and_2, puts_1_and_2, gets_twice, gets_twice}, queue_end_6, 1},
    {"ring of 1, time limits", ring_1_begin, {puts_1, puts_4_soon, gets}, queue_ends, 2},
    {"ring of 1, getting limited", ring_1_begin, {puts_1_and_2, gets_soon, gets}, queue_ends, 1},
    {"ring of 1, closed", ring_1_begin, {puts_1, puts_2, gets_all, closes}, queue_ends, 1},
    {"ring of 1, closed by who puts", ring_1_begin, {puts_1_and_closes, gets_all, gets_all}, queue_ends, 1},
    {"chain", chain_begin, {puts_1, puts_2, gets, gets}, queue_end_3, 1},
    {"chain of 1", chain_1_begin, {puts_1_and_2, gets, gets}, queue_end_3, 1},
    {"chain of 1, time limits", chain_1_begin, {puts_1, puts_4_soon, gets}, queue_ends, 2},
    {"chain of 1, getting limited", chain_1_begin, {puts_1_and_2, gets_soon, gets}, queue_ends, 1},
    {"chain, closed", chain_begin, {puts_1, gets_all, closes}, queue_ends, 1},
    {"stack of 1", lifo_begin, {puts_1, puts_2, gets, gets}, queue_end_3, 1},
    {"stack of 1, closed", lifo_begin, {puts_1, puts_2, gets_all, closes}, queue_ends, 1},
    {"ring, join", ring_2_begin, {joins, joins_soon, deals_with_one}, queue_ends, 2},
    {"ring, two join", ring_2_begin, {joins, joins, deals_with_one, deals_with_one}, queue_ends, 1},
    {"ring, ends with the last item", ring_1_begin, {puts_1, gets_and_destroys}, queue_end_gone, 4},
    {"chain, ends with the last item", chain_begin, {puts_1, gets_and_destroys}, queue_end_gone, 4},
    {"stack, ends with the last item", lifo_begin, {puts_1, gets_and_destroys}, queue_end_gone, 4},
    {"ring, ends with the last task", ring_1_begin, {joins_and_destroys, deals_with_one}, queue_end_gone, 3},
    {"future", future_begin, {future_runs, asks, asks_soon}, future_end, 3},
    {"future, failing", future_fails_begin, {future_runs, asks, asks_soon}, future_end, 3},
    {"future, cancelled", future_begin, {future_runs, asks, cancels}, future_end, 4},
    {"future, cancelled twice", future_begin, {future_runs, cancels, cancels, asks}, future_end, 2},
    {"future, callbacks", future_begin, {future_runs, adds_callback, adds_callback}, callbacks_end, 4},
    {"future, callbacks and cancel",
     future_begin,
     {future_runs, adds_callback, adds_callback, cancels},
     callbacks_end,
     2},
    {"future, dropped", future_begin, {future_runs, asks_and_drops}, dropped_end, 5},
    {"future, dropped in a callback", future_begin, {future_runs, adds_dropping_callback}, dropped_end, 5},
    {"as_completed", two_futures_begin, {future_runs, second_runs, iterates}, two_futures_end, 2},
    {"as_completed, left early", two_futures_begin, {future_runs, second_runs, iterates_once}, two_futures_end, 2},
    {"wait for the first", two_futures_begin, {future_runs, second_runs, waits_for_first}, two_futures_end, 2},
    {"wait for a failure", two_futures_begin, {future_runs, second_runs, waits_for_failure}, two_futures_end, 2},
    {"wait for all",
     two_futures_begin,
     {future_runs, second_runs, waits_for_all, waits_for_all_soon},
     two_futures_end,
     1},
    {"wait for all, cancelled",
     two_futures_begin,
     {future_runs, second_runs, waits_for_all, cancels},
     two_futures_end,
     1},
    {"executor, shutdown", pool_1_begin, {submits_and_shuts_down}, pool_end, 3},
    {"executor of 2, shutdown", pool_2_begin, {submits_and_shuts_down}, pool_end, 2},
    {"executor, results", pool_1_begin, {submits_and_asks}, pool_end, 3},
    {"executor of 2, results", pool_2_begin, {submits_and_asks}, pool_end, 1},
    {"executor, cancel", pool_1_begin, {submits_and_cancels}, pool_end, 3},
    {"executor, submit and shutdown", pool_1_begin, {submits_two, shuts_down}, pool_end, 2},
    {"executor, submit and cancel all", pool_1_begin, {submits_two, shuts_down_now}, pool_end, 2},
    {"executor, two shutdowns", pool_1_begin, {submits_one_and_shuts_down, shuts_down}, pool_end, 2},
    {"executor, two submit", pool_2_begin, {submits_one_and_shuts_down, submits_unasked}, pool_end, 1},
    {"executor, destroyed", pool_1_begin, {submits_and_destroys}, pool_end, 3},
};

/* With an argument: so many preemptions more. */
int main(int count, char **arguments) {
  unsigned more = count > 1 ? (unsigned)atoi(arguments[1]) : 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int failed = 0;
  model_go_on = change_locals;
  keep_some();
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    struct scenario scenario = scenarios[i];
    scenario.preemptions += more;
    failed += !model_run(&scenario);
  }
  return failed != 0;
}
