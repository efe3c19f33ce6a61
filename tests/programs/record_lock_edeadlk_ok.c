/* SPDX-License-Identifier: MIT
 *
 * Two processes lock bytes of a file crosswise with traditional locks: the kernel fails one with EDEADLK, and that one
 * gives way.
 */
#include "files.h"
#include <errno.h>

static _Atomic int *step;

static void take(off_t first, off_t second) {
  int fd = files_open("data");
  files_lock(fd, F_SETLKW, F_WRLCK, first, 10);
  order_meet(step, 2);
  if (files_lock(fd, F_SETLKW, F_WRLCK, second, 10) != 0 && errno != EDEADLK)
    abort();
  files_lock(fd, F_SETLK, F_UNLCK, 0, 0);
}

static void forward(void) { take(0, 100); }
static void backward(void) { take(100, 0); }

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
