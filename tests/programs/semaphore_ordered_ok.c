/* SPDX-License-Identifier: MIT
 *
 * Two threads take two mutexes in opposite orders, but the second only after a semaphore that the first posts when it
 * is done.
 */
#include "run.h"
#include <semaphore.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;

static void *left(void *unused) {
  pthread_mutex_lock(&a);
  pthread_mutex_lock(&b);
  pthread_mutex_unlock(&b);
  pthread_mutex_unlock(&a);
  sem_post(&done);
  return unused;
}

static void *right(void *unused) {
  sem_wait(&done);
  pthread_mutex_lock(&b);
  pthread_mutex_lock(&a);
  pthread_mutex_unlock(&a);
  pthread_mutex_unlock(&b);
  return unused;
}

int main(void) {
  sem_init(&done, 0, 0);
  RUN(left, right);
  return 0;
}
