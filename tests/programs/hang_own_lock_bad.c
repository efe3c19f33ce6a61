/* SPDX-License-Identifier: MIT
 *
 * Two threads that each hold a lock of the program's own want the other's, for ever.
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
  spin_lock(&b);
  order_meet(&both, 2);
  spin_lock(&a);
  spin_unlock(&a);
  spin_unlock(&b);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
