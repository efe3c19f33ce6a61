/* SPDX-License-Identifier: MIT
 *
 * Two threads take two binary semaphores in opposite orders, one after the other: this run ends, another may not.
 */
#include "run.h"
#include <semaphore.h>

static sem_t a, b;
static _Atomic int step;

static void *left(void *unused) {
  sem_wait(&a);
  sem_wait(&b);
  sem_post(&b);
  sem_post(&a);
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  sem_wait(&b);
  sem_wait(&a);
  sem_post(&a);
  sem_post(&b);
  return unused;
}

int main(void) {
  sem_init(&a, 0, 1);
  sem_init(&b, 0, 1);
  RUN(left, right);
  return 0;
}
