/* SPDX-License-Identifier: MIT
 *
 * A Barrier for three, at which two arrive.
 */
#include "threads.h"

static snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", 3);

static void *arrive(void *unused) {
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  return unused;
}

int main(void) {
  THREADS({"left", arrive}, {"right", arrive});
  return 0;
}
