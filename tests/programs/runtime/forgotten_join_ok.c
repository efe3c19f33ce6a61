/* SPDX-License-Identifier: MIT
 *
 * Nobody joins a daemon.
 */
#include "order.h"
#include <snarl/snarl.h>

static _Atomic int tid;

static void *work(void *unused) {
  order_reach(&tid, (int)snarl_get_native_id());
  return unused;
}

int main(void) {
  static snarl_thread worker = SNARL_THREAD_INIT("worker", work, NULL);
  if (snarl_thread_set_daemon(&worker, true) || snarl_thread_start(&worker))
    return 1;
  order_await_end(&tid);
  return 0;
}
