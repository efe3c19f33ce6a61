/* SPDX-License-Identifier: MIT
 *
 * The notification comes before the wait, which asks first whether what it is about is so.
 */
#include "order.h"
#include <snarl/snarl.h>

static snarl_condition ready = SNARL_CONDITION_INIT("ready");
static _Atomic int step;
static bool is_ready;

static void *announce(void *unused) {
  snarl_with(&ready) {
    is_ready = true;
    snarl_condition_notify(&ready, 1);
  }
  order_reach(&step, 1);
  return unused;
}

static void *await(void *unused) {
  order_await(&step, 1);
  snarl_with(&ready) snarl_condition_wait_until(&ready, SNARL_FOREVER, is_ready);
  return unused;
}

int main(void) {
  snarl_thread waiter = SNARL_THREAD_INIT("waiter", await, NULL),
               notifier = SNARL_THREAD_INIT("notifier", announce, NULL);
  return snarl_thread_start(&waiter) || snarl_thread_start(&notifier) || snarl_thread_join(&waiter, SNARL_FOREVER) ||
         snarl_thread_join(&notifier, SNARL_FOREVER);
}
