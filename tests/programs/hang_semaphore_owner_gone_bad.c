/* SPDX-License-Identifier: MIT
 *
 * A process ends while it has a System V semaphore, without asking the kernel to undo that; its parent wants it.
 */
#include "semaphores.h"

static void child(void) {
  semaphore_take(0);
  order_reach(step, 1);
}

static void parent(void) {
  order_await(step, 1);
  semaphore_take(0);
}

int main(void) { return semaphores_run(1, 1, parent, child); }
