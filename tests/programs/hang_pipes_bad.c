/* SPDX-License-Identifier: MIT
 *
 * Two threads wait for each other's first byte: left reads before it writes, too.
 */
#include "run.h"
#include <unistd.h>

static int there[2], back[2];

static void *left(void *unused) {
  char byte = 0;
  if (read(back[0], &byte, 1) != 1 || write(there[1], &byte, 1) != 1)
    abort();
  return unused;
}

static void *right(void *unused) {
  char byte = 0;
  if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
    abort();
  return unused;
}

int main(void) {
  if (pipe(there) || pipe(back))
    abort();
  RUN(left, right);
  return 0;
}
