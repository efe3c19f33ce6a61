/* SPDX-License-Identifier: MIT
 *
 * Two threads read under a reader-writer lock and write under it, held for that.
 */
#include "threads.h"

static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_rwlock lock = SNARL_RWLOCK_INIT("lock");

static void *work(void *unused) {
  for (int i = 0; i < 20; i++) {
    snarl_with_read (&lock)(void) snarl_shared_read(&counter);
    snarl_with_write(&lock) snarl_shared_update(&counter, += 1);
  }
  return unused;
}

int main(void) {
  THREADS({"left", work}, {"right", work});
  return snarl_shared_read(&counter) == 40 ? 0 : 1;
}
