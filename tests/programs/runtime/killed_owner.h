/* SPDX-License-Identifier: MIT
 *
 * A Lock between processes whose owner is killed. Part of the programs that want it afterwards, entered by their main
 * thread.
 */
#ifndef SNARL_TEST_KILLED_OWNER_H
#define SNARL_TEST_KILLED_OWNER_H

#include <signal.h>
#include <snarl/snarl.h>
#include <stdlib.h>

static struct killed_owner {
  snarl_lock lock;
  int first, second; /* equal, when nobody holds the lock */
} * account;

static int pay_and_die(void *unused) {
  (void)unused;
  if (snarl_lock_acquire(&account->lock, SNARL_FOREVER))
    return 1;
  account->first++;
  return raise(SIGKILL);
}

static inline void killed_owner_leaves_lock(snarl_shared_memory *memory) {
  snarl_process payer = SNARL_PROCESS_INIT("payer", pay_and_die, NULL);
  if (snarl_shared_memory_create(memory, NULL, sizeof *account))
    abort();
  account = (struct killed_owner *)memory->data;
  if (snarl_lock_init_shared(&account->lock, "account") || snarl_process_start(&payer) ||
      snarl_process_join(&payer, SNARL_FOREVER) != SNARL_FAILED)
    abort();
}

#endif
