/* SPDX-License-Identifier: MIT
 *
 * A lock below frames of code without unwind tables; compiled with frame pointers and without.
 */
#include "tableless.h"

static __attribute__((noinline)) void NAME(lock)(pthread_mutex_t *mutex) {
  pthread_mutex_lock(mutex);
  pthread_mutex_unlock(mutex);
}

__attribute__((noinline)) void NAME(descend)(pthread_mutex_t *mutex, int frames) {
  if (frames > 1)
    NAME(descend)(mutex, frames - 1);
  else
    NAME(lock)(mutex);
  __asm__ volatile("" ::: "memory", "rbx"); /* no jump instead of a call, and something to save */
}
