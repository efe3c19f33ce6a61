/* SPDX-License-Identifier: MIT
 *
 * Two threads take two mutexes in opposite orders, but a barrier lies between.
 */
#include "run.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t between;

static void *left(void *unused) {
  pthread_mutex_lock(&a);
  pthread_mutex_lock(&b);
  pthread_mutex_unlock(&b);
  pthread_mutex_unlock(&a);
  pthread_barrier_wait(&between);
  return unused;
}

static void *right(void *unused) {
  pthread_barrier_wait(&between);
  pthread_mutex_lock(&b);
  pthread_mutex_lock(&a);
  pthread_mutex_unlock(&a);
  pthread_mutex_unlock(&b);
  return unused;
}

int main(void) {
  pthread_barrier_init(&between, NULL, 2);
  RUN(left, right);
  return 0;
}
