/* SPDX-License-Identifier: MIT
 *
 * Three threads take three mutexes in a ring, one after the other.
 */
#include "run.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER, c = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;

static void *one(void *unused) {
  pthread_mutex_lock(&a);
  pthread_mutex_lock(&b);
  pthread_mutex_unlock(&b);
  pthread_mutex_unlock(&a);
  order_reach(&step, 1);
  return unused;
}

static void *two(void *unused) {
  order_await(&step, 1);
  pthread_mutex_lock(&b);
  pthread_mutex_lock(&c);
  pthread_mutex_unlock(&c);
  pthread_mutex_unlock(&b);
  order_reach(&step, 2);
  return unused;
}

static void *three(void *unused) {
  order_await(&step, 2);
  pthread_mutex_lock(&c);
  pthread_mutex_lock(&a);
  pthread_mutex_unlock(&a);
  pthread_mutex_unlock(&c);
  return unused;
}

int main(void) {
  RUN(one, two, three);
  return 0;
}
