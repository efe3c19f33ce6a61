/* SPDX-License-Identifier: MIT
 *
 * Two processes lock the same two files, one with lockf and one with flock: the two know nothing of each other. And
 * closing any descriptor of a file loses all of a process's record locks on it.
 */
#include "files.h"

static _Atomic int *step;

static void forward(void) {
  int a = files_open("a"), b = files_open("b");
  if (lockf(a, F_LOCK, 0))
    abort();
  order_meet(step, 2);
  if (lockf(b, F_LOCK, 0))
    abort();
  close(files_open("a"));
  order_reach(step, 3);
  order_await(step, 4);
  close(b);
  close(a);
}

static void backward(void) {
  int a = files_open("a"), b = files_open("b");
  flock(b, LOCK_EX);
  order_meet(step, 2);
  flock(a, LOCK_EX);
  order_await(step, 3);
  if (lockf(a, F_LOCK, 0))
    abort();
  order_reach(step, 4);
  if (lockf(b, F_LOCK, 0))
    abort();
  close(a);
  close(b);
}

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
