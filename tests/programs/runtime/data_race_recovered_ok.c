/* SPDX-License-Identifier: MIT
 *
 * The owner of a Lock is killed; the next owner comes after what it did.
 */
#include "half_paid.h"

static int pay(void *unused) {
  (void)unused;
  int status;
  do { /* it may come first; then it pays again */
    status = snarl_lock_acquire(&account->lock, SNARL_FOREVER);
    (void)snarl_shared_update(&account->balance, += 1);
    (void)snarl_lock_release(&account->lock);
  } while (status == SNARL_OK);
  return status != SNARL_RECOVERED;
}

int main(void) { return two_pay(pay); }
