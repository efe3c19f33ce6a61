/* SPDX-License-Identifier: MIT
 *
 * A thread returns early and forgets the release.
 */
#include <snarl/snarl.h>

static snarl_lock accounts = SNARL_LOCK_INIT("accounts");

static void *pay(void *amount) {
  if (snarl_lock_acquire(&accounts, SNARL_FOREVER) || !amount)
    return NULL;
  return snarl_lock_release(&accounts) ? NULL : amount;
}

int main(void) {
  snarl_thread payer = SNARL_THREAD_INIT("payer", pay, NULL);
  return snarl_thread_start(&payer) || snarl_thread_join(&payer, SNARL_FOREVER);
}
