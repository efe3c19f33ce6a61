/* SPDX-License-Identifier: MIT
 *
 * A worker ends, and nobody joins it.
 */
#include "run.h"

static _Atomic int tid;

static void *worker(void *unused) {
  order_reach(&tid, gettid());
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, worker, NULL))
    abort();
  order_await_end(&tid);
  return 0;
}
