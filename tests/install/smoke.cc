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
static snarl_queue lines = SNARL_QUEUE_INIT("lines", 2);
static snarl_queue numbers = SNARL_PRIORITY_QUEUE_INIT("numbers", 0, nullptr);
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

static bool is_passed_on(snarl_queue *queue, std::string *line) {
  void *got = nullptr;
  return snarl_queue_put(queue, line, SNARL_NOW) == SNARL_OK && snarl_queue_get(queue, &got, SNARL_NOW) == SNARL_OK &&
         got == line && snarl_queue_task_done(queue) == SNARL_OK && snarl_queue_join(queue, SNARL_NOW) == SNARL_OK;
}

static bool has_results(std::string *line) {
  snarl_executor_options options = {};
  options.workers = 2;
  snarl_auto_executor pool;
  if (snarl_executor_init(&pool, "pool", &options) != SNARL_OK)
    return false;
  snarl_auto_future length = nullptr;
  snarl_auto_future failure = nullptr;
  snarl_task *measure = [](void *text) -> void * {
    return reinterpret_cast<void *>(static_cast<std::string *>(text)->size());
  };
  snarl_task *give_up = [](void *) -> void * { return snarl_fail(7, "number %d", 7); };
  void *size = nullptr;
  if (snarl_executor_submit(&pool, measure, line, &length) || snarl_executor_submit(&pool, give_up, line, &failure))
    return false;
  snarl_future *both[] = {length, failure};
  return snarl_wait(both, 2, SNARL_ALL_COMPLETED, SNARL_S(20)) == 2 &&
         snarl_future_result(length, SNARL_NOW, &size) == SNARL_OK &&
         reinterpret_cast<std::size_t>(size) == line->size() &&
         snarl_future_result(failure, SNARL_NOW, nullptr) == SNARL_FAILED && snarl_future_error(failure)->code == 7;
}

static bool has_values(const std::string &line) {
  snarl_auto_any dict = snarl_any_dict();
  std::size_t size = line.size();
  if (snarl_any_dict_set(dict, "line", line.c_str()) || snarl_any_dict_set(dict, size, 2.5f) ||
      snarl_any_dict_set(dict, true, snarl_any_list()) || snarl_any_dict_set(dict, snarl_any_int(-1), 'c'))
    return false;
  bool is_right = snarl_any_list_append(snarl_any_dict_get(dict, true), false) == SNARL_OK;
  snarl_any key, item;
  snarl_any_each_pair(key, item, dict) is_right = is_right && !snarl_any_is_nil(item);
  snarl_auto_any several = snarl_any_dict_of("a", 1, 2, snarl_any_list_of(1.5, true));
  snarl_auto_any text = snarl_any_text(dict);
  is_right = is_right && snarl_any_length(snarl_any_dict_get(several, 2u)) == 2 && !snarl_any_dict_has(several, 2.0);
  return is_right && snarl_any_dict_remove(dict, "line") == SNARL_OK && !snarl_any_dict_has(dict, "line") &&
         snarl_any_as_string(text) == "{\"line\": \"" + line + "\", 6: 2.5, true: [false], -1: 99}";
}

static int measure_line(void *line) {
  snarl_process_queue lengths;
  std::size_t length = std::string(static_cast<const char *>(line)).size();
  return snarl_given_queue("lengths", &lengths) || snarl_process_queue_put(&lengths, &length, sizeof length, SNARL_NOW);
}
SNARL_ENTRY(measure_line);

static bool starts_anew(const std::string &line, snarl_start_method method) {
  snarl_process_queue lengths;
  if (snarl_process_queue_init(&lengths, "lengths", 1))
    return false;
  snarl_process process = SNARL_PROCESS_INIT("measurer", measure_line, nullptr);
  snarl_given given[] = {SNARL_GIVEN("lengths", &lengths)};
  std::size_t length = 0;
  return snarl_process_set_start(&process, method) == SNARL_OK &&
         snarl_process_set_argument(&process, line.c_str(), line.size() + 1) == SNARL_OK &&
         snarl_process_give(&process, given, 1) == SNARL_OK && snarl_process_start(&process) == SNARL_OK &&
         snarl_process_join(&process, SNARL_S(20)) == SNARL_OK &&
         snarl_process_queue_get_into(&lengths, &length, sizeof length, SNARL_NOW) == sizeof length &&
         length == line.size() && snarl_process_queue_destroy(&lengths) == SNARL_OK;
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
  is_right = is_right && is_passed_on(&lines, &name) && is_passed_on(&numbers, &name) && has_results(&name) &&
             has_values(name);
  is_right = is_right && starts_anew(name, SNARL_START_SPAWN) && starts_anew(name, SNARL_START_FORKSERVER);
  std::vector<int> values;
  snarl_with_write(&rwlock) values.push_back(1);
  return is_right && values.size() == 1 ? 0 : 1;
}
