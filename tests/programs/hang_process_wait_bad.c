/* SPDX-License-Identifier: MIT
 *
 * A process awaits its child while it holds the mutex in shared memory that the child wants.
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
  waitpid(child, NULL, 0);
  pthread_mutex_unlock(lock);
  return 0;
}
