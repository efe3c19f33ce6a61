/* SPDX-License-Identifier: MIT
 *
 * Two threads contend for two binary semaphores, taken in one order.
 */
#include "run.h"
#include <semaphore.h>

static sem_t a, b;
static _Atomic int step;

static void *left(void *unused) {
  order_meet(&step, 2);
  sem_wait(&a);
  sem_wait(&b);
  sem_post(&b);
  sem_post(&a);
  return unused;
}

static void *right(void *unused) {
  order_meet(&step, 2);
  sem_wait(&a);
  sem_wait(&b);
  sem_post(&b);
  sem_post(&a);
  return unused;
}

int main(void) {
  sem_init(&a, 0, 1);
  sem_init(&b, 0, 1);
  RUN(left, right);
  return 0;
}
