/* SPDX-License-Identifier: MIT
 *
 * Two mutexes on the stack of a thread that goes on; two others take them in opposite orders.
 */
#include "nest.h"

static pthread_mutex_t *volatile mutexes;
static _Atomic int step;

static void *early(void *unused) {
  nest(&mutexes[0], &mutexes[1]);
  order_reach(&step, 1);
  return unused;
}

static void *late(void *unused) {
  order_await(&step, 1);
  nest(&mutexes[1], &mutexes[0]);
  return unused;
}

static void *owner(void *unused) {
  pthread_mutex_t own[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
  nest(&own[0], &own[1]);
  mutexes = laundered(own);
  RUN(early, late);
  return unused;
}

int main(void) {
  RUN(owner);
  return 0;
}
