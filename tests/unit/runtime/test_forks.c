/* SPDX-License-Identifier: MIT
 *
 * Forks in the midst of everything: threads use locks, queues, executors, timers, pipes and each other while main forks
 * again and again, by fork and by Process, and each child uses libsnarl from the beginning. What libsnarl has for
 * itself is whole in the child; what the threads had is said to be so. test-runtime-forks [SECONDS], also by the
 * environment (SNARL_FORKS_SECONDS).
 */
#include <sched.h>
#include <snarl/snarl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG = 20 }; /* seconds: what takes that long hangs */

static snarl_lock held = SNARL_LOCK_INIT("held");
static snarl_condition changed = SNARL_CONDITION_INIT("changed");
static snarl_queue items = SNARL_QUEUE_INIT("items", 4);
static snarl_executor pool;
static uint32_t is_over;
static uint64_t rounds;

/* In a child as well; without stdio, whose locks are not ours. */
static _Noreturn void fail(const char *what) {
  (void)!write(STDERR_FILENO, what, strlen(what));
  (void)!write(STDERR_FILENO, "\n", 1);
  _exit(1);
}

#define MUST(holds)                                                                                                    \
  do                                                                                                                   \
    if (!(holds))                                                                                                      \
      fail(__FILE__ ": " #holds);                                                                                      \
  while (0)

static bool goes_on(void) {
  __atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
  return !__atomic_load_n(&is_over, __ATOMIC_ACQUIRE);
}

static void *locks(void *unused) {
  while (goes_on()) {
    snarl_with(&held) sched_yield();
    snarl_with(&changed) { MUST(snarl_condition_wait(&changed, SNARL_US(50)) != SNARL_NOT_OWNER); }
  }
  return unused;
}

static void *notifies(void *unused) {
  while (goes_on())
    snarl_with(&changed) { MUST(snarl_condition_notify_all(&changed) >= 0); }
  return unused;
}

static void *puts_items(void *unused) {
  while (goes_on())
    (void)snarl_queue_put(&items, &items, SNARL_MS(1));
  return unused;
}

static void *gets_items(void *unused) {
  void *item;
  while (goes_on())
    (void)snarl_queue_get(&items, &item, SNARL_MS(1));
  return unused;
}

static void *task(void *argument) { return argument; }

static void *submits(void *unused) {
  while (goes_on()) {
    snarl_future *future;
    void *result;
    MUST(snarl_executor_submit(&pool, task, &pool, &future) == SNARL_OK);
    MUST(snarl_future_result(future, SNARL_FOREVER, &result) == SNARL_OK && result == &pool);
    snarl_future_drop(future);
  }
  return unused;
}

static void *nothing(void *unused) { return unused; }
static void rings(void *count) { __atomic_fetch_add((int *)count, 1, __ATOMIC_RELAXED); }

static void use_threads(void) {
  int count = 0;
  snarl_thread thread;
  snarl_timer timer;
  MUST(snarl_thread_init(&thread, "short", nothing, NULL) == SNARL_OK && snarl_thread_start(&thread) == SNARL_OK);
  MUST(snarl_timer_init(&timer, "soon", SNARL_US(10), rings, &count) == SNARL_OK);
  MUST(snarl_timer_start(&timer) == SNARL_OK && snarl_timer_join(&timer, SNARL_FOREVER) == SNARL_OK && count == 1);
  MUST(snarl_thread_join(&thread, SNARL_FOREVER) == SNARL_OK);
}

static void *starts_threads(void *unused) {
  while (goes_on())
    use_threads();
  return unused;
}

static void use_pipe(void) {
  snarl_connection here, there;
  char byte;
  MUST(snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX) == SNARL_OK);
  MUST(snarl_connection_send(&there, "x", 1, SNARL_FOREVER) == SNARL_OK);
  MUST(snarl_connection_recv_into(&here, &byte, 1, SNARL_FOREVER) == 1 && byte == 'x');
  MUST(snarl_connection_close(&here) == SNARL_OK && snarl_connection_close(&there) == SNARL_OK);
}

static void *makes_pipes(void *unused) {
  while (goes_on())
    use_pipe();
  return unused;
}

static void use_own(void) {
  snarl_lock lock = SNARL_LOCK_INIT("own");
  snarl_queue queue;
  snarl_executor executor;
  snarl_future *future;
  void *item;
  snarl_with(&lock) MUST(snarl_lock_locked(&lock));
  MUST(snarl_queue_init(&queue, "own", 0) == SNARL_OK && snarl_queue_put(&queue, &lock, SNARL_NOW) == SNARL_OK);
  MUST(snarl_queue_get(&queue, &item, SNARL_NOW) == SNARL_OK && item == &lock);
  MUST(snarl_queue_destroy(&queue) == SNARL_OK);
  MUST(snarl_executor_init(&executor, "own", &(struct snarl_executor_options){.workers = 2}) == SNARL_OK);
  MUST(snarl_executor_submit(&executor, task, &lock, &future) == SNARL_OK);
  MUST(snarl_future_result(future, SNARL_FOREVER, &item) == SNARL_OK && item == &lock);
  snarl_future_drop(future);
  MUST(snarl_executor_destroy(&executor) == SNARL_OK);
}

/* What the parent's threads had is theirs: the child is told, and does not wait. */
static void look_at_parents(void) {
  snarl_future *future;
  int status = snarl_lock_acquire(&held, SNARL_FOREVER);
  MUST(status == SNARL_OK || status == SNARL_OWNER_ENDED);
  MUST(status || snarl_lock_release(&held) == SNARL_OK);
  MUST(snarl_executor_submit(&pool, task, NULL, &future) == SNARL_FORKED);
  MUST(snarl_active_count() == 1 && snarl_active_children(NULL, 0) == 0);
}

static int child(void *unused) {
  (void)unused;
  (void)alarm(LONG);
  look_at_parents();
  use_own();
  use_threads();
  use_pipe();
  return 0;
}

static int grandchild(void *unused) {
  snarl_process process;
  MUST(snarl_process_init(&process, "inner", child, unused) == SNARL_OK);
  MUST(child(unused) == 0);
  MUST(snarl_process_start(&process) == SNARL_OK && snarl_process_join(&process, SNARL_FOREVER) == SNARL_OK);
  return 0;
}

static void fork_plainly(void) {
  int status;
  pid_t pid = fork();
  if (pid == 0)
    _exit(child(NULL));
  MUST(pid > 0 && waitpid(pid, &status, 0) == pid);
  MUST(!WIFSIGNALED(status));
  MUST(WEXITSTATUS(status) == 0);
}

static void fork_as_process(int (*function)(void *)) {
  snarl_process process;
  MUST(snarl_process_init(&process, "child", function, NULL) == SNARL_OK);
  MUST(snarl_process_start(&process) == SNARL_OK && snarl_process_join(&process, SNARL_S(LONG)) == SNARL_OK);
}

static unsigned fork_until(snarl_time deadline) {
  unsigned forks = 0;
  for (; snarl_time_left(deadline); forks += 2) {
    fork_plainly();
    fork_as_process(forks % 16 ? child : grandchild);
  }
  return forks;
}

int main(int argc, char **argv) {
  void *(*const all[])(void *) = {locks, notifies, puts_items, gets_items, submits, starts_threads, makes_pipes};
  enum { THREADS = sizeof all / sizeof *all };
  const char *seconds = argc > 1 ? argv[1] : getenv("SNARL_FORKS_SECONDS");
  snarl_thread threads[THREADS];
  MUST(snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 2}) == SNARL_OK);
  for (int i = 0; i < THREADS; i++)
    MUST(snarl_thread_init(&threads[i], NULL, all[i], NULL) == SNARL_OK && snarl_thread_start(&threads[i]) == SNARL_OK);
  unsigned forks = fork_until(snarl_deadline(SNARL_S(seconds ? strtod(seconds, NULL) : 3)));
  __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < THREADS; i++)
    MUST(snarl_thread_join(&threads[i], SNARL_FOREVER) == SNARL_OK);
  MUST(snarl_executor_destroy(&pool) == SNARL_OK);
  printf("%u forks in the midst of %llu rounds\n", forks, (unsigned long long)rounds);
  return 0;
}
