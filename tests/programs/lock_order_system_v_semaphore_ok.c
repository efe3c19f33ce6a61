/* SPDX-License-Identifier: MIT
 *
 * Two processes take two System V semaphores in one order; and each hands the other something with a semaphore that
 * counts, which is no lock.
 */
#include "semaphores.h"

static void forward(void) {
  semaphore_take(0);
  semaphore_give(1);
  semaphore_give(0);
}

static void backward(void) {
  semaphore_take(1);
  semaphore_take(0);
  semaphore_give(0);
  semaphore_give(1);
}

int main(void) { return semaphores_run(1, 0, forward, backward); }
