/* SPDX-License-Identifier: MIT
 *
 * Memory with two mutexes is unmapped, and mapped over: others at the same addresses are taken in the other order.
 */
#include "nest.h"

static pthread_mutex_t *mutexes;
static _Atomic int step;

static void *map(void *at) {
  return mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

static void *left(void *unused) {
  mutexes = map(NULL);
  nest(&mutexes[0], &mutexes[1]);
  MUST(munmap(mutexes, 4096) == 0 && map(mutexes) == mutexes);
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  nest(&mutexes[1], &mutexes[0]);
  MUST(map(mutexes) == mutexes);
  nest(&mutexes[0], &mutexes[1]);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
