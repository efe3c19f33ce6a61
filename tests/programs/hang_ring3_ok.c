/* SPDX-License-Identifier: MIT
 *
 * Three threads contend for three mutexes, taken in one order.
 */
#include "run.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER, c = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;

static void *one(void *unused) {
  order_meet(&step, 3);
  pthread_mutex_lock(&a);
  pthread_mutex_lock(&b);
  pthread_mutex_unlock(&b);
  pthread_mutex_unlock(&a);
  return unused;
}

static void *two(void *unused) {
  order_meet(&step, 3);
  pthread_mutex_lock(&b);
  pthread_mutex_lock(&c);
  pthread_mutex_unlock(&c);
  pthread_mutex_unlock(&b);
  return unused;
}

static void *three(void *unused) {
  order_meet(&step, 3);
  pthread_mutex_lock(&a);
  pthread_mutex_lock(&c);
  pthread_mutex_unlock(&c);
  pthread_mutex_unlock(&a);
  return unused;
}

int main(void) {
  RUN(one, two, three);
  return 0;
}
