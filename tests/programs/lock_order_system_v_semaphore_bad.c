/* SPDX-License-Identifier: MIT
 *
 * Two processes take two System V semaphores in opposite orders, one after the other.
 */
#include "semaphores.h"

static void forward(void) {
  semaphore_take(0);
  semaphore_take(1);
  semaphore_give(1);
  semaphore_give(0);
  order_reach(step, 1);
}

static void backward(void) {
  order_await(step, 1);
  semaphore_take(1);
  semaphore_take(0);
  semaphore_give(0);
  semaphore_give(1);
}

int main(void) { return semaphores_run(1, 1, forward, backward); }
