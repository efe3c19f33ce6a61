/* SPDX-License-Identifier: MIT
 *
 * A process ends while it has a System V semaphore, and the kernel gives it back (SEM_UNDO).
 */
#include "semaphores.h"

static void child(void) {
  struct sembuf down = {0, -1, SEM_UNDO};
  if (semop(set, &down, 1))
    _exit(3);
  order_reach(step, 1);
}

static void parent(void) {
  order_await(step, 1);
  semaphore_take(0);
}

int main(void) { return semaphores_run(1, 1, parent, child); }
