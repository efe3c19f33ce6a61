/* SPDX-License-Identifier: MIT
 *
 * Two mutexes on the stack of a thread that ends; another thread is given the same stack, and takes two of its own at
 * the same addresses in the other order.
 */
#include "nest.h"

static pthread_mutex_t *volatile mutexes;
static _Atomic int step, begun;

static void *user(void *unused) {
  pthread_mutex_t own[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
  int outer = atomic_load(&step);
  MUST(!mutexes || mutexes == laundered(own));
  mutexes = laundered(own);
  nest(&own[outer], &own[!outer]);
  return unused;
}

static void *left(void *unused) {
  order_meet(&begun, 2); /* of the stacks that are free then, there is one only: both live on until it is used again */
  RUN(user);
  order_reach(&step, 1);
  order_await(&step, 2);
  return unused;
}

static void *right(void *unused) {
  order_meet(&begun, 2);
  order_await(&step, 1);
  RUN(user);
  order_reach(&step, 2);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
