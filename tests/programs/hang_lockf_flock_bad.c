/* SPDX-License-Identifier: MIT
 *
 * One process locks a file with lockf and wants another with flock, the other process the other way round.
 */
#include "files.h"

static _Atomic int *step;

static void forward(void) {
  int a = files_open("a"), b = files_open("b");
  if (lockf(a, F_LOCK, 0))
    abort();
  order_meet(step, 2);
  flock(b, LOCK_EX);
  close(b);
  close(a);
}

static void backward(void) {
  int a = files_open("a"), b = files_open("b");
  flock(b, LOCK_EX);
  order_meet(step, 2);
  if (lockf(a, F_LOCK, 0))
    abort();
  close(a);
  close(b);
}

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
