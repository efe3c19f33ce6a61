/* SPDX-License-Identifier: MIT
 *
 * Two mutexes in a frame that returns, and two others at the same addresses in a later frame, which other threads take
 * in opposite orders. The thread that owns the frames does something from an outer one in between.
 */
#include "nest.h"

static pthread_mutex_t *volatile mutexes;
static pthread_mutex_t outside = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;

static __attribute__((noinline)) void lend(int round) {
  pthread_mutex_t own[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
  MUST(!mutexes || mutexes == laundered(own));
  mutexes = laundered(own);
  for (int i = 0; i < 2; i++) {
    pthread_mutex_lock(&own[i]);
    pthread_mutex_unlock(&own[i]);
  }
  order_reach(&step, round);
  order_await(&step, round + 1);
}

static void *owner(void *unused) {
  lend(1);
  pthread_mutex_lock(&outside);
  pthread_mutex_unlock(&outside);
  lend(3);
  return unused;
}

static void *early(void *unused) {
  order_await(&step, 1);
  nest(&mutexes[0], &mutexes[1]);
  order_reach(&step, 2);
  return unused;
}

static void *late(void *unused) {
  order_await(&step, 3);
  nest(&mutexes[1], &mutexes[0]);
  order_reach(&step, 4);
  return unused;
}

int main(void) {
  RUN(owner, early, late);
  return 0;
}
