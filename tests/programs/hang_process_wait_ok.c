/* SPDX-License-Identifier: MIT
 *
 * A process gives the mutex in shared memory up before it awaits the child that wants it.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  pthread_mutex_t *lock = run_shared(sizeof *lock);
  run_shared_mutex(lock);
  pthread_mutex_lock(lock);
  pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    _exit(0);
  }
  pthread_mutex_unlock(lock);
  waitpid(child, NULL, 0);
  return 0;
}
