/* SPDX-License-Identifier: MIT
 *
 * Two mutexes on the heap, initialized by assignment, are taken in opposite orders.
 */
#include "nest.h"
#include <stdint.h>

static pthread_mutex_t *first, *second;
static _Atomic int step;

static pthread_mutex_t *mutex_new(void) {
  pthread_mutex_t *mutex = malloc(sizeof *mutex);
  *mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  return mutex;
}

static void *left(void *unused) {
  first = mutex_new();
  second = mutex_new();
  nest(first, second);
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  nest(second, first);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
