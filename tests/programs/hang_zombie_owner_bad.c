/* SPDX-License-Identifier: MIT
 *
 * A process kills its child, which holds a mutex in shared memory, and wants that without waiting for the child's end.
 */
#include "run.h"
#include <signal.h>
#include <unistd.h>

struct shared {
  pthread_mutex_t mutex;
  _Atomic int step;
};

int main(void) {
  struct shared *shared = run_shared(sizeof *shared);
  run_shared_mutex(&shared->mutex);
  pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(&shared->mutex);
    order_reach(&shared->step, 1);
    for (;;)
      pause();
  }
  order_await(&shared->step, 1);
  if (kill(child, SIGKILL))
    return 1;
  pthread_mutex_lock(&shared->mutex);
  return 0;
}
