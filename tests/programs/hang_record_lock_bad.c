/* SPDX-License-Identifier: MIT
 *
 * Two processes each lock some bytes of a file through open file descriptions and want bytes of the other's, of which
 * they know other borders. The kernel looks for such circles among traditional locks only.
 */
#include "files.h"

static _Atomic int *step;

static void forward(void) {
  int fd = files_open("data");
  files_lock(fd, F_OFD_SETLKW, F_WRLCK, 0, 10);
  order_meet(step, 2);
  files_lock(fd, F_OFD_SETLKW, F_WRLCK, 105, 10);
  files_lock(fd, F_OFD_SETLKW, F_UNLCK, 0, 0);
}

static void backward(void) {
  int fd = files_open("data");
  files_lock(fd, F_OFD_SETLKW, F_WRLCK, 100, 10);
  order_meet(step, 2);
  files_lock(fd, F_OFD_SETLKW, F_WRLCK, 5, 10);
  files_lock(fd, F_OFD_SETLKW, F_UNLCK, 0, 0);
}

int main(void) {
  step = run_shared(sizeof *step);
  return files_run_two(forward, backward);
}
