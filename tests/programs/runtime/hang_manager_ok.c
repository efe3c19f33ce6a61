/* SPDX-License-Identifier: MIT
 *
 * Two processes take two locks of a manager in one order, each by its own mapping, and hand each other their turns by
 * an event and a condition of the same manager.
 */
#include "processes.h"

typedef SNARL_VALUE(int) turn;
static const char *address;

static int take_turns(int mine) {
  snarl_auto_manager manager = {.inside = NULL};
  if (snarl_manager_connect(&manager, address))
    return 1;
  snarl_lock *first = snarl_manager_lock(&manager, "A"), *second = snarl_manager_lock(&manager, "B");
  snarl_condition *changed = snarl_manager_condition(&manager, "changed");
  turn *whose = snarl_manager_value(&manager, turn, "whose");
  if (mine)
    (void)snarl_event_wait(snarl_manager_event(&manager, "begun"), SNARL_FOREVER);
  else
    (void)snarl_event_set(snarl_manager_event(&manager, "begun"));
  for (int i = 0; i < 5; i++) {
    snarl_with(first) snarl_with(second) {}
    snarl_with(changed) {
      (void)snarl_condition_wait_until(changed, SNARL_FOREVER, snarl_value_get(whose) % 2 == mine);
      (void)snarl_value_update(whose, += 1);
      (void)snarl_condition_notify(changed, 1);
    }
  }
  return 0;
}

static int left(void *unused) { return (void)unused, take_turns(0); }
static int right(void *unused) { return (void)unused, take_turns(1); }

int main(void) {
  snarl_auto_manager manager = {.inside = NULL};
  if (snarl_manager_start(&manager, "manager", NULL))
    return 1;
  address = snarl_manager_address(&manager);
  PROCESSES({"left", left}, {"right", right});
  return 0;
}
