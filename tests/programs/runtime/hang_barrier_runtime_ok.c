/* SPDX-License-Identifier: MIT
 *
 * A Barrier for two that is broken by a time limit, reset, aborted, reset again, and then passed.
 */
#include "threads.h"

static snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", 2);
static _Atomic int broken;

static void *arrive(void *unused) {
  if (snarl_barrier_wait(&barrier, SNARL_FOREVER) != SNARL_BROKEN)
    abort();
  order_meet(&broken, 2);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  return unused;
}

static void *abort_and_meet(void *unused) {
  while (snarl_barrier_n_waiting(&barrier) == 0)
    snarl_sleep(SNARL_US(100));
  if (snarl_barrier_abort(&barrier) || snarl_barrier_wait(&barrier, SNARL_FOREVER) != SNARL_BROKEN ||
      snarl_barrier_reset(&barrier))
    abort();
  order_meet(&broken, 2);
  snarl_barrier_wait(&barrier, SNARL_FOREVER);
  return unused;
}

int main(void) {
  if (snarl_barrier_wait(&barrier, SNARL_MS(1)) != SNARL_TIMEOUT || !snarl_barrier_broken(&barrier) ||
      snarl_barrier_reset(&barrier))
    return 1;
  THREADS({"left", arrive}, {"right", abort_and_meet});
  return 0;
}
