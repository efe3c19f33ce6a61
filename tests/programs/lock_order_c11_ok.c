/* SPDX-License-Identifier: MIT
 *
 * Two threads take two C11 mutexes in the same order.
 */
#include "run.h"
#include <threads.h>

static mtx_t a, b;
static _Atomic int step;

static int left(void *unused) {
  (void)unused;
  mtx_lock(&a);
  mtx_lock(&b);
  mtx_unlock(&b);
  mtx_unlock(&a);
  order_reach(&step, 1);
  return 0;
}

static int right(void *unused) {
  (void)unused;
  order_await(&step, 1);
  mtx_lock(&a);
  mtx_lock(&b);
  mtx_unlock(&b);
  mtx_unlock(&a);
  return 0;
}

int main(void) {
  mtx_init(&a, mtx_plain);
  mtx_init(&b, mtx_plain);
  thrd_t threads[2];
  if (thrd_create(&threads[0], left, NULL) || thrd_create(&threads[1], right, NULL))
    abort();
  thrd_join(threads[0], NULL);
  thrd_join(threads[1], NULL);
  return 0;
}
