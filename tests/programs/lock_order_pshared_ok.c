/* SPDX-License-Identifier: MIT
 *
 * Two processes take two mutexes in shared memory in the same order.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

struct shared {
  pthread_mutex_t a, b;
  _Atomic int step;
};
static struct shared *shared;

static void forward(void) {
  pthread_mutex_lock(&shared->a);
  pthread_mutex_lock(&shared->b);
  pthread_mutex_unlock(&shared->b);
  pthread_mutex_unlock(&shared->a);
}

static void forward_too(void) {
  pthread_mutex_lock(&shared->a);
  pthread_mutex_lock(&shared->b);
  pthread_mutex_unlock(&shared->b);
  pthread_mutex_unlock(&shared->a);
}

int main(void) {
  shared = run_shared(sizeof *shared);
  run_shared_mutex(&shared->a);
  run_shared_mutex(&shared->b);
  pid_t child = fork();
  if (child == 0) {
    order_await(&shared->step, 1);
    forward_too();
    _exit(0);
  }
  forward();
  order_reach(&shared->step, 1);
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
