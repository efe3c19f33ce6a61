/* SPDX-License-Identifier: MIT
 *
 * A child process exits while it holds a lock in shared memory.
 */
#include "run.h"
#include <sys/wait.h>

int main(void) {
  pthread_mutex_t *lock = run_shared(sizeof *lock);
  run_shared_mutex(lock);
  pid_t child = fork();
  if (!child) {
    pthread_mutex_lock(lock);
    exit(0);
  }
  return waitpid(child, NULL, 0) != child;
}
