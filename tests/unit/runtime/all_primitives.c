/* SPDX-License-Identifier: MIT
 *
 * Every primitive of libsnarl once or twice, in one order and without contention, so that each run leaves the same
 * records: once_each.py compares a run alone with one under the shim.
 */
#include <snarl/snarl.h>
#include <sys/mman.h>

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

static int in_process(void *unused) {
  (void)use_all(unused);
  return 3;
}

static snarl_process process = SNARL_PROCESS_INIT("process", in_process, NULL);

static uint32_t *is_there; /* in memory that both processes have */

static int wait_for_ever(void *unused) {
  __atomic_store_n(is_there, 1, __ATOMIC_RELEASE);
  snarl_sleep(SNARL_FOREVER);
  return unused ? 0 : 1;
}

static snarl_process_queue messages;

static int uses_queue(void *unused) {
  char message[8];
  return unused || snarl_process_queue_get_into(&messages, message, sizeof message, SNARL_FOREVER) != 5 ||
         snarl_process_queue_task_done(&messages) || snarl_process_queue_close(&messages);
}

static snarl_process queue_user = SNARL_PROCESS_INIT("queue user", uses_queue, NULL);

static bool use_process_queue(void) {
  return !snarl_process_queue_init(&messages, "messages", 1) &&
         snarl_process_queue_get_into(&messages, NULL, 0, SNARL_US(100)) == SNARL_TIMEOUT &&
         !snarl_process_queue_put(&messages, "hello", 5, SNARL_FOREVER) &&
         snarl_process_queue_put(&messages, "more", 4, SNARL_US(100)) == SNARL_TIMEOUT &&
         snarl_process_queue_join(&messages, SNARL_US(100)) == SNARL_TIMEOUT && !snarl_process_start(&queue_user) &&
         !snarl_process_join(&queue_user, SNARL_FOREVER) && !snarl_process_queue_join(&messages, SNARL_FOREVER) &&
         !snarl_process_queue_destroy(&messages);
}

static snarl_process killed = SNARL_PROCESS_INIT("killed", wait_for_ever, NULL);

int main(void) {
  (void)use_all(NULL);
  for (int i = 0; i < 3; i++) {
    snarl_thread thread = SNARL_THREAD_INIT("thread", use_all, NULL);
    if (snarl_thread_start(&thread) || snarl_thread_join(&thread, SNARL_FOREVER))
      return 1;
  }
  if (snarl_timer_start(&timer) || snarl_timer_join(&timer, SNARL_FOREVER))
    return 1;
  snarl_connection one, other;
  if (snarl_pipe(&one, &other, "pipe", SNARL_DUPLEX) || snarl_connection_give(&other, &process) ||
      snarl_connection_send(&one, "hello", 5, SNARL_FOREVER) || snarl_connection_poll(&other, SNARL_FOREVER) != 1 ||
      snarl_connection_recv_into(&other, (char[8]){""}, 8, SNARL_FOREVER) != 5)
    return 1;
  if (snarl_process_start(&process) || snarl_process_join(&process, SNARL_FOREVER) != SNARL_FAILED ||
      snarl_connection_recv_into(&one, NULL, 0, SNARL_FOREVER) != SNARL_CLOSED || snarl_connection_close(&one) ||
      snarl_connection_close(&other))
    return 1;
  is_there = mmap(NULL, sizeof *is_there, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (is_there == MAP_FAILED || snarl_process_start(&killed))
    return 1;
  while (!__atomic_load_n(is_there, __ATOMIC_ACQUIRE))
    snarl_sleep(SNARL_MS(1));
  if (snarl_process_join(&killed, SNARL_MS(1)) != SNARL_TIMEOUT || snarl_process_kill(&killed) ||
      snarl_process_join(&killed, SNARL_FOREVER) != SNARL_FAILED)
    return 1;
  return use_process_queue() && snarl_shared_read(&shared) == 2 ? 0 : 1;
}
