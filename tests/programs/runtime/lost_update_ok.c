/* SPDX-License-Identifier: MIT
 *
 * Two processes change items of a manager's dict in all ways in which nothing is lost: a get and a set under the
 * manager's lock, changes that are one step, sets that look at nothing, items of their own, an item that is handed to
 * and fro by what is in it, and one of which both make the same.
 */
#include "processes.h"
#include <sys/mman.h>

static snarl_dict scores;
static snarl_list turns;
static snarl_lock *lock;
static _Atomic int *met;

static int64_t get(snarl_dict *dict, const char *key) {
  snarl_auto_any value = snarl_dict_get(dict, key);
  return snarl_any_as_int(value);
}

static snarl_any twice(snarl_any old, void *unused) {
  (void)unused;
  return snarl_any_int(2 * snarl_any_as_int(old));
}

static int failed(snarl_any value) {
  int status = snarl_any_status(value);
  snarl_any_drop(&value);
  return status != SNARL_OK;
}

static int change_all(const char *own) {
  int failures = 0;
  snarl_with(lock) failures += snarl_dict_set(&scores, "locked", get(&scores, "locked") + 1) != SNARL_OK;
  failures += failed(snarl_dict_add(&scores, "added", 1)) + (snarl_dict_change(&scores, "changed", twice, NULL) != 0);
  failures += (snarl_list_append(&turns, own) < 0) + (snarl_dict_set(&scores, "last", own) != SNARL_OK);
  failures += snarl_dict_set(&scores, own, get(&scores, own) + 1) != SNARL_OK;
  int64_t computed = get(&scores, "computed");
  order_meet(met, 2); /* neither has found it */
  return failures + (computed || snarl_dict_set(&scores, "computed", 42) != SNARL_OK);
}

/* Whose turn it is, the item says. */
static int take_turns(int mine) {
  for (int turn = mine; turn < 6; turn += 2) {
    while (get(&scores, "turn") != turn)
      sched_yield();
    if (snarl_dict_set(&scores, "turn", turn + 1))
      return 1;
  }
  return 0;
}

static int left(void *unused) { return (void)unused, change_all("left") + take_turns(0); }
static int right(void *unused) { return (void)unused, change_all("right") + take_turns(1); }

int main(void) {
  snarl_auto_manager manager = {.inside = NULL};
  met = mmap(NULL, sizeof *met, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (met == MAP_FAILED || snarl_manager_start(&manager, "manager", NULL) ||
      snarl_manager_dict(&manager, &scores, "scores") || snarl_manager_list(&manager, &turns, "turns") ||
      !(lock = snarl_manager_lock(&manager, "lock")) || snarl_dict_set(&scores, "changed", 1))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  return get(&scores, "locked") != 2 || get(&scores, "added") != 2 || get(&scores, "changed") != 4 ||
         get(&scores, "turn") != 6 || snarl_list_length(&turns) != 2;
}
