/* SPDX-License-Identifier: MIT
 *
 * A thread releases a Lock that another holds.
 */
#include "threads.h"

static snarl_lock lock = SNARL_LOCK_INIT("lock");

static void *release(void *unused) {
  snarl_lock_release(&lock);
  return unused;
}

int main(void) {
  snarl_with(&lock) THREADS({"thief", release});
  return 0;
}
