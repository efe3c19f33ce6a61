/* SPDX-License-Identifier: MIT
 *
 * A thread returns early out of a block that holds a lock: the end of the block releases it.
 */
#include <snarl/snarl.h>

static snarl_lock accounts = SNARL_LOCK_INIT("accounts");

static void *pay(void *amount) {
  snarl_with(&accounts) {
    if (!amount)
      return NULL;
  }
  return amount;
}

int main(void) {
  snarl_thread payer = SNARL_THREAD_INIT("payer", pay, NULL);
  return snarl_thread_start(&payer) || snarl_thread_join(&payer, SNARL_FOREVER);
}
