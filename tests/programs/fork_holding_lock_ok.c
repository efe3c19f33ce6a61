/* SPDX-License-Identifier: MIT
 *
 * A worker uses a lock while main forks, and handlers of pthread_atfork see to it that the child finds it free; another
 * lock is held by the worker during the fork, and the child makes it anew. Two threads, two processes.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER, cache_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;

static void take(void) { pthread_mutex_lock(&log_lock); }
static void give(void) { pthread_mutex_unlock(&log_lock); }
static void renew(void) { pthread_mutex_init(&cache_lock, NULL); }

static void *worker(void *unused) {
  pthread_mutex_lock(&cache_lock);
  order_reach(&step, 1);
  for (int i = 0; i < 1000; i++) {
    pthread_mutex_lock(&log_lock);
    pthread_mutex_unlock(&log_lock);
  }
  order_await(&step, 2);
  pthread_mutex_unlock(&cache_lock);
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_atfork(take, give, give);
  pthread_atfork(NULL, NULL, renew);
  pthread_create(&thread, NULL, worker, NULL);
  order_await(&step, 1);
  pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(&log_lock);
    pthread_mutex_lock(&cache_lock);
    pthread_mutex_unlock(&cache_lock);
    pthread_mutex_unlock(&log_lock);
    _exit(0);
  }
  order_reach(&step, 2);
  waitpid(child, NULL, 0);
  pthread_join(thread, NULL);
  return 0;
}
