/* SPDX-License-Identifier: MIT
 *
 * A process that is killed in the midst of a payment, beside another that pays. Part of each program, entered by its
 * main thread and its children's.
 */
#ifndef SNARL_TEST_HALF_PAID_H
#define SNARL_TEST_HALF_PAID_H

#include <signal.h>
#include <snarl/snarl.h>
#include <stdlib.h>

static struct account {
  snarl_lock lock;
  SNARL_SHARED(int) balance;
} * account;

static inline int pay_and_die(void *unused) {
  (void)unused;
  if (snarl_lock_acquire(&account->lock, SNARL_FOREVER))
    return 1;
  (void)snarl_shared_update(&account->balance, += 1);
  return raise(SIGKILL);
}

static inline int two_pay(int (*second)(void *)) {
  snarl_shared_memory memory;
  snarl_process first = SNARL_PROCESS_INIT("killed", pay_and_die, NULL),
                next = SNARL_PROCESS_INIT("next", second, NULL);
  if (snarl_shared_memory_create(&memory, NULL, sizeof *account))
    return 1;
  account = memory.data;
  if (snarl_lock_init_shared(&account->lock, "account") || snarl_shared_init_shared(&account->balance, "balance") ||
      snarl_process_start(&first) || snarl_process_start(&next))
    return 1;
  return snarl_process_join(&first, SNARL_FOREVER) != SNARL_FAILED || snarl_process_join(&next, SNARL_FOREVER) ||
         snarl_shared_memory_close(&memory);
}

#endif
