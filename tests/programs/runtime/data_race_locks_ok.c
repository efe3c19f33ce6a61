/* SPDX-License-Identifier: MIT
 *
 * Two threads increment one variable under one lock, and the main thread reads it after their end.
 */
#include "threads.h"

static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_lock lock = SNARL_LOCK_INIT("lock");

static void *increment(void *unused) {
  snarl_with(&lock) snarl_shared_update(&counter, += 1);
  return unused;
}

int main(void) {
  THREADS({"left", increment}, {"right", increment});
  return snarl_shared_read(&counter) == 2 ? 0 : 1;
}
