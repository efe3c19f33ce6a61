/* SPDX-License-Identifier: MIT
 *
 * Two threads contend for two C11 mutexes, taken in one order.
 */
#include "run.h"
#include <threads.h>

static mtx_t a, b;
static _Atomic int step;

static int left(void *unused) {
  (void)unused;
  order_meet(&step, 2);
  mtx_lock(&a);
  mtx_lock(&b);
  mtx_unlock(&b);
  mtx_unlock(&a);
  return 0;
}

static int right(void *unused) {
  (void)unused;
  order_meet(&step, 2);
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
