/* SPDX-License-Identifier: MIT
 *
 * A thread that is neither a daemon nor joined, though the program knows that it has done its work.
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
  if (snarl_thread_start(&worker))
    return 1;
  order_await_end(&tid);
  return 0;
}
