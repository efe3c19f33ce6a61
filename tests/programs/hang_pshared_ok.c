/* SPDX-License-Identifier: MIT
 *
 * Two processes contend for two mutexes in shared memory, taken in one order.
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
  order_meet(&shared->step, 2);
  pthread_mutex_lock(&shared->a);
  pthread_mutex_lock(&shared->b);
  pthread_mutex_unlock(&shared->b);
  pthread_mutex_unlock(&shared->a);
}

static void forward_too(void) {
  order_meet(&shared->step, 2);
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
    forward_too();
    _exit(0);
  }
  forward();
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
