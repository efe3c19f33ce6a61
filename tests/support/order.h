/* SPDX-License-Identifier: MIT
 *
 * Forcing an interleaving without a trace: counters that threads and processes raise and watch. Nothing here is
 * recorded, so the analyzer sees the operations of a program but not the order that was forced on them. A counter that
 * processes share lies in shared memory.
 */
#ifndef SNARL_TEST_ORDER_H
#define SNARL_TEST_ORDER_H

#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Waits until the counter is at least `step`. */
static inline void order_await(_Atomic int *counter, int step) {
  while (atomic_load(counter) < step)
    sched_yield();
}

/* Lets those go on who await `step`. */
static inline void order_reach(_Atomic int *counter, int step) { atomic_store(counter, step); }

/* Waits until `count` callers have come here. */
static inline void order_meet(_Atomic int *counter, int count) {
  atomic_fetch_add(counter, 1);
  order_await(counter, count);
}

/* Waits until the thread with the kernel's id `tid` (0: not yet known) does not run any more, without joining it. */
static inline void order_await_end(_Atomic int *tid) {
  order_await(tid, 1);
  while (syscall(SYS_tgkill, getpid(), atomic_load(tid), 0) == 0)
    sched_yield();
}

#endif
