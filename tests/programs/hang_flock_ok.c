/* SPDX-License-Identifier: MIT
 *
 * Two processes take the locks on two files, contended, in the same order.
 */
#include "files.h"

static _Atomic int *step;

static void forward(void) {
  int a = files_open("a.lock"), b = files_open("b.lock");
  order_meet(step, 2);
  flock(a, LOCK_EX);
  flock(b, LOCK_EX);
  flock(b, LOCK_UN);
  flock(a, LOCK_UN);
}

static void backward(void) {
  int a = files_open("a.lock"), b = files_open("b.lock");
  order_meet(step, 2);
  flock(a, LOCK_EX);
  flock(b, LOCK_EX);
  flock(b, LOCK_UN);
  flock(a, LOCK_UN);
}

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
