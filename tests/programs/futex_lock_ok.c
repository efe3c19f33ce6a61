/* SPDX-License-Identifier: MIT
 *
 * A lock of the program's own that sleeps on a futex: nothing is known of it, and nothing said but that.
 */
#include "run.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int word; /* 0 free, 1 taken, 2 taken and somebody may sleep */
static _Atomic int holds;

static void own_lock(void) {
  int free = 0;
  if (atomic_compare_exchange_strong(&word, &free, 1))
    return;
  while (atomic_exchange(&word, 2))
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void own_unlock(void) {
  if (atomic_exchange(&word, 0) == 2)
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *left(void *unused) {
  own_lock();
  order_reach(&holds, 1);
  order_await(&word, 2); /* somebody is about to sleep */
  own_unlock();
  return unused;
}

static void *right(void *unused) {
  order_await(&holds, 1);
  own_lock();
  own_unlock();
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
