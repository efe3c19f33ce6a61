/* SPDX-License-Identifier: MIT
 *
 * A spin lock of the program's own, of which no library knows, annotated in two ways. Part of the test programs about
 * annotations.
 */
#ifndef SNARL_TEST_OWN_SPIN_H
#define SNARL_TEST_OWN_SPIN_H

#include "run.h"
#include <snarl/annotate.h>

struct spin {
  _Atomic int is_taken;
};

static inline void spin_take(struct spin *spin) {
  while (atomic_exchange(&spin->is_taken, 1))
    sched_yield();
}

#ifdef ANNOTATED_AFTERWARDS
/* As programs do that know dynamic annotations: after taking it, before giving it up. */
__attribute__((weak)) void AnnotateRWLockAcquired(const char *file, int line, const volatile void *lock,
                                                  long is_writer);
__attribute__((weak)) void AnnotateRWLockReleased(const char *file, int line, const volatile void *lock,
                                                  long is_writer);

static inline void spin_lock(struct spin *spin) {
  spin_take(spin);
  if (AnnotateRWLockAcquired)
    AnnotateRWLockAcquired(__FILE__, __LINE__, spin, 1);
}

static inline void spin_unlock(struct spin *spin) {
  if (AnnotateRWLockReleased)
    AnnotateRWLockReleased(__FILE__, __LINE__, spin, 1);
  atomic_store(&spin->is_taken, 0);
}
#else
static inline void spin_lock(struct spin *spin) {
  snarl_own_lock_begin(spin, 0);
  spin_take(spin);
  snarl_own_lock_end(spin, 0, 1);
}

static inline void spin_unlock(struct spin *spin) {
  snarl_own_unlock_begin(spin, 0);
  atomic_store(&spin->is_taken, 0);
  snarl_own_unlock_end(spin, 0);
}
#endif

static inline void spin_nest(struct spin *outer, struct spin *inner) {
  spin_lock(outer);
  spin_lock(inner);
  spin_unlock(inner);
  spin_unlock(outer);
}

#endif
