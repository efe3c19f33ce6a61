/* SPDX-License-Identifier: MIT
 *
 * Two processes take the locks on two files in opposite orders, one after the other.
 */
#include "files.h"

static _Atomic int *step;

static void forward(void) {
  int a = files_open("a.lock"), b = files_open("b.lock");
  flock(a, LOCK_EX);
  flock(b, LOCK_EX);
  flock(b, LOCK_UN);
  flock(a, LOCK_UN);
  order_reach(step, 1);
}

static void backward(void) {
  int b = files_open("b.lock"), a = files_open("a.lock");
  order_await(step, 1);
  flock(b, LOCK_EX);
  flock(a, LOCK_EX);
  flock(a, LOCK_UN);
  flock(b, LOCK_UN);
}

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
