/* SPDX-License-Identifier: MIT
 *
 * Two processes each hold the lock on one of two files and want the other's.
 */
#include "files.h"

static _Atomic int *step;

static void forward(void) {
  int a = files_open("a.lock"), b = files_open("b.lock");
  flock(a, LOCK_EX);
  order_meet(step, 2);
  flock(b, LOCK_EX);
  flock(b, LOCK_UN);
  flock(a, LOCK_UN);
}

static void backward(void) {
  int b = files_open("b.lock"), a = files_open("a.lock");
  flock(b, LOCK_EX);
  order_meet(step, 2);
  flock(a, LOCK_EX);
  flock(a, LOCK_UN);
  flock(b, LOCK_UN);
}

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
