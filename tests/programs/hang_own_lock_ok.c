/* SPDX-License-Identifier: MIT
 *
 * Two threads that want two locks of the program's own in one order: one of them waits a while.
 */
#include "spin.h"

static struct spin a, b;
static _Atomic int both;

static void *left(void *unused) {
  spin_lock(&a);
  order_meet(&both, 2);
  spin_lock(&b);
  spin_unlock(&b);
  spin_unlock(&a);
  return unused;
}

static void *right(void *unused) {
  order_meet(&both, 2);
  spin_nest(&a, &b);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
