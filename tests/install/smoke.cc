/* SPDX-License-Identifier: MIT
 *
 * libsnarl from C++17: each primitive once, with the macros in functions, a template and a lambda. Ends with 0 if all
 * did what they say.
 */
#include <snarl/snarl.h>

#include <stdexcept>
#include <string>
#include <vector>

static snarl_lock lock = SNARL_LOCK_INIT("lock");
static snarl_rlock rlock = SNARL_RLOCK_INIT("rlock");
static snarl_condition condition = SNARL_CONDITION_INIT_ON("condition", &lock);
static snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 2);
static snarl_event event = SNARL_EVENT_INIT("event");
static snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", 2);
static snarl_rwlock rwlock = SNARL_RWLOCK_INIT("rwlock");
static snarl_once once = SNARL_ONCE_INIT("once");
static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_local local = SNARL_LOCAL_INIT("local", int, nullptr, nullptr);
static bool is_ready;

static void count(void *) { snarl_shared_update(&counter, += 1); }
static snarl_timer timer = SNARL_TIMER_INIT("timer", SNARL_MS(1), count, nullptr);

static void *work(void *argument) {
  snarl_with(&lock) {
    is_ready = true;
    snarl_condition_notify_all(&condition);
  }
  *static_cast<int *>(snarl_local_get(&local)) = 7;
  snarl_event_wait(&event, SNARL_FOREVER);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  return argument;
}

template <typename Lock> static bool is_released_by_exception(Lock *held) {
  try {
    snarl_with(held) throw std::runtime_error("out of the block");
  } catch (const std::runtime_error &) {
    return snarl_acquire_for(held, SNARL_NOW) == SNARL_OK && snarl_release(held) == SNARL_OK;
  }
  return false;
}

int main() {
  std::string name = "worker";
  snarl_thread thread;
  snarl_thread_init(&thread, name.c_str(), work, &name);
  if (snarl_thread_start(&thread) != SNARL_OK)
    return 1;
  int waited = SNARL_INVALID;
  snarl_with(&lock) waited = snarl_condition_wait_until(&condition, SNARL_S(20), is_ready);
  snarl_event_set(&event);
  int index = snarl_barrier_wait(&barrier, SNARL_S(20));
  bool is_right = waited == SNARL_OK && index >= 0 && snarl_thread_join(&thread, SNARL_S(20)) == SNARL_OK &&
                  snarl_thread_result(&thread) == &name;
  is_right = is_right && is_released_by_exception(&lock) && is_released_by_exception(&rlock) &&
             is_released_by_exception(&semaphore);
  auto twice = [] { return snarl_once_run(&once, count, nullptr) + snarl_once_run(&once, count, nullptr); };
  is_right = is_right && twice() == SNARL_OK && snarl_timer_start(&timer) == SNARL_OK &&
             snarl_timer_join(&timer, SNARL_S(20)) == SNARL_OK && snarl_shared_read(&counter) == 2;
  snarl_with_read(&rwlock) is_right = is_right && snarl_rwlock_acquire_write(&rwlock, SNARL_NOW) == SNARL_TIMEOUT;
  std::vector<int> values;
  snarl_with_write(&rwlock) values.push_back(1);
  return is_right && values.size() == 1 ? 0 : 1;
}
