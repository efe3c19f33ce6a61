/* SPDX-License-Identifier: MIT
 *
 * The owner of a Lock is killed, and another changes what the Lock guards without having it.
 */
#include "half_paid.h"

static int pay(void *unused) {
  (void)unused;
  (void)snarl_shared_update(&account->balance, += 1);
  return 0;
}

int main(void) { return two_pay(pay); }
