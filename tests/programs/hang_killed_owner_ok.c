/* SPDX-License-Identifier: MIT
 *
 * A process is killed while it holds a robust mutex in shared memory, and its parent is told so when it wants it.
 */
#include "run.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
  pthread_mutex_t mutex;
  _Atomic int step;
};

int main(void) {
  struct shared *shared = run_shared(sizeof *shared);
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->mutex, &attr);
  pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(&shared->mutex);
    order_reach(&shared->step, 1);
    for (;;)
      pause();
  }
  order_await(&shared->step, 1);
  kill(child, SIGKILL);
  if (waitpid(child, NULL, 0) != child || pthread_mutex_lock(&shared->mutex) != EOWNERDEAD)
    return 1;
  return pthread_mutex_consistent(&shared->mutex) || pthread_mutex_unlock(&shared->mutex);
}
