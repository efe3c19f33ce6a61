/* SPDX-License-Identifier: MIT
 *
 * An event that is cleared right after it was set: who had not begun to wait then waits for ever.
 */
#include "order.h"
#include <snarl/snarl.h>

static snarl_event ready = SNARL_EVENT_INIT("ready");
static _Atomic int step;

static void *await(void *unused) {
  order_await(&step, 1);
  (void)snarl_event_wait(&ready, SNARL_FOREVER);
  return unused;
}

static void *pulse(void *unused) {
  int status = snarl_event_set(&ready) || snarl_event_clear(&ready);
  order_reach(&step, 1);
  return status ? NULL : unused;
}

int main(void) {
  snarl_thread waiter = SNARL_THREAD_INIT("waiter", await, NULL), setter = SNARL_THREAD_INIT("setter", pulse, NULL);
  return snarl_thread_start(&waiter) || snarl_thread_start(&setter) || snarl_thread_join(&waiter, SNARL_FOREVER) ||
         snarl_thread_join(&setter, SNARL_FOREVER);
}
