/* SPDX-License-Identifier: MIT
 *
 * Takes the answer that a lock comes from a killed owner for a failure, and so keeps the lock: the next waits for ever.
 */
#include "killed_owner.h"

static void *next(void *unused) {
  snarl_with(&account->lock) account->second = account->first;
  return unused;
}

int main(void) {
  snarl_shared_memory memory;
  killed_owner_leaves_lock(&memory);
  if (snarl_lock_acquire(&account->lock, SNARL_FOREVER) == SNARL_OK)
    return 1;
  snarl_thread thread = SNARL_THREAD_INIT("next", next, NULL);
  if (snarl_thread_start(&thread))
    return 1;
  return snarl_thread_join(&thread, SNARL_FOREVER);
}
