/* SPDX-License-Identifier: MIT
 *
 * Two threads contend for two spin locks, taken in one order.
 */
#include "run.h"

static pthread_spinlock_t a, b;
static _Atomic int step;

static void *left(void *unused) {
  order_meet(&step, 2);
  pthread_spin_lock(&a);
  pthread_spin_lock(&b);
  pthread_spin_unlock(&b);
  pthread_spin_unlock(&a);
  return unused;
}

static void *right(void *unused) {
  order_meet(&step, 2);
  pthread_spin_lock(&a);
  pthread_spin_lock(&b);
  pthread_spin_unlock(&b);
  pthread_spin_unlock(&a);
  return unused;
}

int main(void) {
  pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
  pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE);
  RUN(left, right);
  return 0;
}
