/* SPDX-License-Identifier: MIT
 *
 * Two processes each have one of two System V semaphores and want the other.
 */
#include "semaphores.h"

static void forward(void) {
  semaphore_take(0);
  order_meet(step, 2);
  semaphore_take(1);
  semaphore_give(1);
  semaphore_give(0);
}

static void backward(void) {
  semaphore_take(1);
  order_meet(step, 2);
  semaphore_take(0);
  semaphore_give(0);
  semaphore_give(1);
}

int main(void) { return semaphores_run(1, 1, forward, backward); }
