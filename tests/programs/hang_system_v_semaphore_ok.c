/* SPDX-License-Identifier: MIT
 *
 * Two processes take two System V semaphores, contended: both at once, in whatever order they name them.
 */
#include "semaphores.h"

static void take_both(int first, int second) {
  struct sembuf down[] = {{(unsigned short)first, -1, 0}, {(unsigned short)second, -1, 0}};
  struct sembuf up[] = {{(unsigned short)second, 1, 0}, {(unsigned short)first, 1, 0}};
  order_meet(step, 2);
  for (int i = 0; i < 100; i++)
    if (semop(set, down, 2) || semop(set, up, 2))
      _exit(3);
}

static void forward(void) { take_both(0, 1); }
static void backward(void) { take_both(1, 0); }

int main(void) { return semaphores_run(1, 1, forward, backward); }
