/* SPDX-License-Identifier: MIT
 *
 * A barrier for two threads, to which two come.
 */
#include "run.h"

static pthread_barrier_t barrier;

static void *left(void *unused) {
  pthread_barrier_wait(&barrier);
  return unused;
}

static void *right(void *unused) {
  pthread_barrier_wait(&barrier);
  return unused;
}

int main(void) {
  pthread_barrier_init(&barrier, NULL, 2);
  RUN(left, right);
  return 0;
}
