/* SPDX-License-Identifier: MIT
 *
 * A Lock and an RLock of libsnarl, taken in one order.
 */
#include "threads.h"

static snarl_lock accounts = SNARL_LOCK_INIT("accounts");
static snarl_rlock journal = SNARL_RLOCK_INIT("journal");
static _Atomic int step;

static void *left(void *unused) {
  snarl_with(&accounts) snarl_with(&journal) {}
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  snarl_with(&accounts) snarl_with(&journal) snarl_with(&journal) {}
  return unused;
}

int main(void) {
  THREADS({"left", left}, {"right", right});
  return 0;
}
