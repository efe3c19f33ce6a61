/* SPDX-License-Identifier: MIT
 *
 * The main thread joins a thread, which joins another.
 */
#include "run.h"

static pthread_t main_thread, first, second;
static _Atomic int step;

static void *run_first(void *unused) {
  order_await(&step, 1);
  pthread_join(second, NULL);
  return unused;
}

static void *run_second(void *unused) {
  order_await(&step, 1);
  return unused;
}

int main(void) {
  main_thread = pthread_self();
  if (pthread_create(&first, NULL, run_first, NULL) || pthread_create(&second, NULL, run_second, NULL))
    abort();
  order_reach(&step, 1);
  pthread_join(first, NULL);
  return main_thread != pthread_self();
}
