/* SPDX-License-Identifier: MIT
 *
 * Two threads take two locks of the program's own, annotated around each operation, in the same order.
 */
#include "spin.h"

static struct spin a, b;
static _Atomic int step;

static void *left(void *unused) {
  spin_nest(&a, &b);
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  spin_nest(&a, &b);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
