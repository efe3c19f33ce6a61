/* SPDX-License-Identifier: MIT
 *
 * Two threads write one variable while they hold a reader-writer lock for reading only.
 */
#include "threads.h"

static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_rwlock lock = SNARL_RWLOCK_INIT("lock");

static void *left(void *unused) {
  snarl_with_read(&lock) snarl_shared_write(&counter, 1);
  return unused;
}

static void *right(void *unused) {
  snarl_with_read(&lock) snarl_shared_write(&counter, 2);
  return unused;
}

int main(void) {
  THREADS({"left", left}, {"right", right});
  return 0;
}
