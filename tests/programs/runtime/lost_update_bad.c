/* SPDX-License-Identifier: MIT
 *
 * Two processes increment an item of a manager's dict by a get and a set: one increment is lost.
 */
#include "processes.h"
#include <sys/mman.h>

static snarl_dict scores;
static _Atomic int *met;

static int increment(void *unused) {
  (void)unused;
  snarl_auto_any score = snarl_dict_get(&scores, "Ada");
  order_meet(met, 2);
  return snarl_dict_set(&scores, "Ada", snarl_any_as_int(score) + 1) != SNARL_OK;
}

int main(void) {
  snarl_auto_manager manager = {.inside = NULL};
  met = mmap(NULL, sizeof *met, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (met == MAP_FAILED || snarl_manager_start(&manager, "manager", NULL) ||
      snarl_manager_dict(&manager, &scores, "scores") || snarl_dict_set(&scores, "Ada", 0))
    return 1;
  PROCESSES({"left", increment}, {"right", increment});
  return 0;
}
