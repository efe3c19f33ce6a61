/* SPDX-License-Identifier: MIT
 *
 * Two processes each hold one of two mutexes in shared memory and want the other.
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
  order_meet(&shared->step, 2);
  pthread_mutex_lock(&shared->b);
  pthread_mutex_unlock(&shared->b);
  pthread_mutex_unlock(&shared->a);
}

static void backward(void) {
  pthread_mutex_lock(&shared->b);
  order_meet(&shared->step, 2);
  pthread_mutex_lock(&shared->a);
  pthread_mutex_unlock(&shared->a);
  pthread_mutex_unlock(&shared->b);
}

int main(void) {
  shared = run_shared(sizeof *shared);
  run_shared_mutex(&shared->a);
  run_shared_mutex(&shared->b);
  pid_t child = fork();
  if (child == 0) {
    backward();
    _exit(0);
  }
  forward();
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
