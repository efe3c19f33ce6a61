/* SPDX-License-Identifier: MIT
 *
 * Repairs what a killed owner has left half done and gives the lock back: the next gets it.
 */
#include "killed_owner.h"

static void *next(void *unused) {
  snarl_with(&account->lock) account->second++, account->first++;
  return unused;
}

int main(void) {
  snarl_shared_memory memory;
  killed_owner_leaves_lock(&memory);
  if (snarl_lock_acquire(&account->lock, SNARL_FOREVER) != SNARL_RECOVERED)
    return 1;
  account->second = account->first;
  snarl_lock_release(&account->lock);
  snarl_thread thread = SNARL_THREAD_INIT("next", next, NULL);
  if (snarl_thread_start(&thread) || snarl_thread_join(&thread, SNARL_FOREVER))
    return 1;
  return snarl_shared_memory_close(&memory);
}
