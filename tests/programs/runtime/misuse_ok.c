/* SPDX-License-Identifier: MIT
 *
 * Tries and time limits that fail, a thread joined twice, a barrier that breaks: what a program may do.
 */
#include "threads.h"

static snarl_lock lock = SNARL_LOCK_INIT("lock");
static snarl_barrier barrier = SNARL_BARRIER_INIT("barrier", 2);

static void *try_it(void *unused) {
  if (snarl_lock_acquire(&lock, SNARL_NOW) != SNARL_TIMEOUT || snarl_lock_acquire(&lock, SNARL_US(50)) != SNARL_TIMEOUT)
    abort();
  return unused;
}

int main(void) {
  snarl_thread thread = SNARL_THREAD_INIT("thread", try_it, NULL);
  int status = SNARL_OK;
  snarl_with(&lock) status =
      snarl_thread_start(&thread) || snarl_thread_join(&thread, SNARL_FOREVER) || snarl_thread_join(&thread, SNARL_NOW);
  return status || snarl_barrier_wait(&barrier, SNARL_US(50)) != SNARL_TIMEOUT || snarl_barrier_reset(&barrier) ||
         snarl_barrier_destroy(&barrier) || snarl_lock_destroy(&lock);
}
