/* SPDX-License-Identifier: MIT
 *
 * A child process releases its lock in shared memory before it exits; a robust one it may keep.
 */
#include "run.h"
#include <sys/wait.h>

int main(void) {
  pthread_mutex_t *locks = run_shared(2 * sizeof *locks);
  pthread_mutexattr_t attr;
  run_shared_mutex(&locks[0]);
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&locks[1], &attr);
  pid_t child = fork();
  if (!child) {
    pthread_mutex_lock(&locks[0]);
    pthread_mutex_unlock(&locks[0]);
    pthread_mutex_lock(&locks[1]);
    exit(0);
  }
  return waitpid(child, NULL, 0) != child;
}
