/* SPDX-License-Identifier: MIT
 *
 * Two processes take two locks of a manager in opposite order, each by its own mapping, and wait for each other for
 * ever. The manager's process, which waits for requests, has no part in it.
 */
#include "processes.h"
#include <sys/mman.h>

static _Atomic int *met;
static const char *address;

static int transfer(const char *from, const char *to) {
  snarl_auto_manager manager = {.inside = NULL};
  if (snarl_manager_connect(&manager, address))
    return 1;
  snarl_lock *first = snarl_manager_lock(&manager, from), *second = snarl_manager_lock(&manager, to);
  snarl_with(first) {
    order_meet(met, 2);
    snarl_with(second) {}
  }
  return 0;
}

static int left(void *unused) { return (void)unused, transfer("A", "B"); }
static int right(void *unused) { return (void)unused, transfer("B", "A"); }

int main(void) {
  snarl_auto_manager manager = {.inside = NULL};
  met = mmap(NULL, sizeof *met, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (met == MAP_FAILED || snarl_manager_start(&manager, "manager", NULL))
    return 1;
  address = snarl_manager_address(&manager);
  PROCESSES({"left", left}, {"right", right});
  return 0;
}
