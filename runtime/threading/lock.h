/* SPDX-License-Identifier: MIT
 *
 * Lock and RLock from the inside, for the Condition that gives them up and takes them again. Both have one layout.
 * Entered by any thread.
 */
#ifndef SNARLI_LOCK_H
#define SNARLI_LOCK_H

#include "core/runtime.h"
#include <snarl/lock.h>

/* A lock's word: who holds it, 0 nobody; and whether somebody may sleep for it. */
#define SNARLI_LOCK_WANTED 0x80000000u

static inline uint32_t snarli_lock_owner(const snarl_lock *lock) {
  return snarli_load(&lock->word) & ~SNARLI_LOCK_WANTED;
}
/* Without a record or a check: the caller `me` does not hold it. */
int snarli_lock_take(snarl_lock *lock, uint32_t me, snarl_time timeout);
/* The caller holds it. */
void snarli_lock_give(snarl_lock *lock);

#endif
