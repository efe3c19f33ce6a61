/* SPDX-License-Identifier: MIT
 *
 * Two mutexes on the heap, never initialized nor destroyed by a call, are taken in one order and freed; two others at
 * the same addresses are taken in the other order.
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
  uintptr_t old_first = (uintptr_t)first, old_second = (uintptr_t)second;
  free(laundered(first));
  free(laundered(second));
  second = mutex_new(); /* the allocator gives back what was freed last */
  first = mutex_new();
  MUST(old_first == (uintptr_t)first && old_second == (uintptr_t)second);
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
