/* SPDX-License-Identifier: MIT
 *
 * The C++ library's primitives under the shim: what they do, and exceptions through frames of the shim. Prints what
 * happens; compare.sh runs this with and without the shim.
 */
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

static void throwing_once() {
  std::once_flag flag;
  int runs = 0;
  for (int i = 0; i < 3; i++) {
    try {
      std::call_once(flag, [&] {
        if (++runs == 1)
          throw std::runtime_error("first");
      });
      std::printf("once passed, %d runs\n", runs);
    } catch (const std::exception &error) {
      std::printf("once threw %s\n", error.what());
    }
  }
}

static void locks() {
  std::mutex a, b;
  std::recursive_timed_mutex timed;
  std::shared_timed_mutex shared;
  long sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; i++) {
        std::scoped_lock both(a, b);
        std::shared_lock read(shared, std::chrono::hours(1));
        std::unique_lock again(timed, std::chrono::hours(1));
        sum++;
      }
    });
  for (auto &thread : threads)
    thread.join();
  std::printf("sum %ld\n", sum);
  std::unique_lock write(shared);
  std::thread([&] { std::printf("try %d\n", shared.try_lock_for(std::chrono::milliseconds(1))); }).join();
}

static void waits() {
  std::mutex mutex;
  std::condition_variable ready;
  bool is_ready = false;
  std::thread thread([&] {
    std::lock_guard guard(mutex);
    is_ready = true;
    ready.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return is_ready; });
    std::printf("waited %d\n", ready.wait_for(lock, std::chrono::milliseconds(1)) == std::cv_status::timeout);
  }
  thread.join();
  std::printf("future %d\n", std::async(std::launch::async, [] { return 9; }).get());
  try {
    std::thread().join();
  } catch (const std::system_error &error) {
    std::printf("join: %d\n", error.code().value());
  }
}

int main() {
  throwing_once();
  locks();
  waits();
}
