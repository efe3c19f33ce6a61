/* SPDX-License-Identifier: MIT
 *
 * Two threads take two spin locks in opposite orders, one after the other: this run ends, another may not.
 */
#include "run.h"

static pthread_spinlock_t a, b;
static _Atomic int step;

static void *left(void *unused) {
  pthread_spin_lock(&a);
  pthread_spin_lock(&b);
  pthread_spin_unlock(&b);
  pthread_spin_unlock(&a);
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  pthread_spin_lock(&b);
  pthread_spin_lock(&a);
  pthread_spin_unlock(&a);
  pthread_spin_unlock(&b);
  return unused;
}

int main(void) {
  pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
  pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE);
  RUN(left, right);
  return 0;
}
