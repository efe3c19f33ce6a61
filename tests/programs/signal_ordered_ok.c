/* SPDX-License-Identifier: MIT
 *
 * One thread takes two locks, gives them up and signals the other, which waits for that and takes them the other way
 * round.
 */
#include "run.h"
#include <signal.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_t second;
static sigset_t set;

static void *run_second(void *unused) {
  int got = 0;
  if (sigwait(&set, &got) || got != SIGUSR1)
    abort();
  pthread_mutex_lock(&b);
  pthread_mutex_lock(&a);
  pthread_mutex_unlock(&a);
  pthread_mutex_unlock(&b);
  return unused;
}

int main(void) {
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (pthread_create(&second, NULL, run_second, NULL))
    return 1;
  pthread_mutex_lock(&a);
  pthread_mutex_lock(&b);
  pthread_mutex_unlock(&b);
  pthread_mutex_unlock(&a);
  return pthread_kill(second, SIGUSR1) || pthread_join(second, NULL);
}
