/* SPDX-License-Identifier: MIT
 *
 * Condition variables and semaphores: results, timeouts on both clocks, what is held afterwards.
 */
#include "show.h"

static void condition_waits(pthread_cond_t *cond, pthread_mutex_t *mutex) {
  struct timespec end = soon(CLOCK_REALTIME), end_monotonic = soon(CLOCK_MONOTONIC);
  SHOW(pthread_cond_timedwait(cond, mutex, &end));
  SHOW(pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &end_monotonic));
  SHOW(pthread_cond_timedwait(cond, mutex, &past));
  SHOW(pthread_cond_timedwait(cond, mutex, &bad));
  SHOW(pthread_cond_clockwait(cond, mutex, 99, &past));
  SHOW(pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &bad));
}

static void conditions(void) {
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
  context = "condition";
  SHOW(pthread_cond_timedwait(&cond, &checked, &past)); /* not held */
  SHOW(pthread_cond_wait(&cond, &checked));
  SHOW(pthread_mutex_lock(&checked));
  condition_waits(&cond, &checked);
  SHOW(pthread_mutex_unlock(&checked)); /* still held after all that */
  SHOW(pthread_mutex_unlock(&checked));
  SHOW(pthread_cond_signal(&cond));
  SHOW(pthread_cond_broadcast(&cond));
  SHOW(pthread_cond_destroy(&cond));
  SHOW(pthread_cond_init(&cond, NULL));
  SHOW(pthread_cond_destroy(&cond));
}

static void semaphores(void) {
  sem_t sem;
  struct timespec end = soon(CLOCK_REALTIME), end_monotonic = soon(CLOCK_MONOTONIC);
  context = "semaphore";
  SHOW(sem_init(&sem, 0, ~0u));
  SHOW(sem_init(&sem, 0, SEM_VALUE_MAX));
  SHOW(sem_post(&sem));
  SHOW(sem_wait(&sem));
  SHOW(sem_init(&sem, 0, 3));
  SHOW(sem_timedwait(&sem, &bad));
  SHOW(sem_clockwait(&sem, 99, &past));
  SHOW(sem_timedwait(&sem, &past));
  SHOW(sem_clockwait(&sem, CLOCK_MONOTONIC, &past));
  SHOW(sem_trywait(&sem));
  SHOW(sem_trywait(&sem));
  SHOW(sem_timedwait(&sem, &past));
  SHOW(sem_timedwait(&sem, &end));
  SHOW(sem_clockwait(&sem, CLOCK_MONOTONIC, &end_monotonic));
  SHOW(sem_timedwait(&sem, &bad));
  SHOW(sem_post(&sem));
  SHOW(sem_wait(&sem));
  SHOW(sem_destroy(&sem));
  char name[64];
  snprintf(name, sizeof name, "/snarl-semantics-%d", (int)getpid());
  sem_t *named = sem_open(name, O_CREAT | O_EXCL, 0600, 1), *again = sem_open(name, 0);
  SHOW(named == again);
  SHOW(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED);
  SHOW(sem_open("/snarl/none", 0) == SEM_FAILED);
  SHOW(sem_wait(named));
  SHOW(sem_trywait(again));
  SHOW(sem_close(named));
  SHOW(sem_post(again));
  SHOW(sem_close(again));
  SHOW(sem_close(&sem));
  SHOW(sem_unlink(name));
  SHOW(sem_unlink(name));
}

int main(void) {
  conditions();
  semaphores();
  return 0;
}
