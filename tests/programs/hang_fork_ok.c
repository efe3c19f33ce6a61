/* SPDX-License-Identifier: MIT
 *
 * A worker has given up the lock of the log when main forks; the child takes it. Two threads, two processes.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;

static void *worker(void *unused) {
  pthread_mutex_lock(&log_lock);
  pthread_mutex_unlock(&log_lock);
  order_reach(&step, 1);
  order_await(&step, 2);
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, worker, NULL);
  order_await(&step, 1);
  pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(&log_lock);
    pthread_mutex_unlock(&log_lock);
    _exit(0);
  }
  order_reach(&step, 2);
  pthread_join(thread, NULL);
  waitpid(child, NULL, 0);
  return 0;
}
