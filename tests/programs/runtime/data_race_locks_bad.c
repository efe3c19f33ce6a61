/* SPDX-License-Identifier: MIT
 *
 * Two threads increment one variable, each under a lock of its own.
 */
#include "threads.h"

static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_lock first = SNARL_LOCK_INIT("first"), second = SNARL_LOCK_INIT("second");

static void *left(void *unused) {
  snarl_with(&first) snarl_shared_update(&counter, += 1);
  return unused;
}

static void *right(void *unused) {
  snarl_with(&second) snarl_shared_update(&counter, += 1);
  return unused;
}

int main(void) {
  THREADS({"left", left}, {"right", right});
  return 0;
}
