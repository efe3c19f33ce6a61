/* SPDX-License-Identifier: MIT
 *
 * Two processes replace values of a ShareableList: each one of its own, and both the same under a lock. One replaces
 * what the other has read before, and told it so.
 */
#include "processes.h"

static snarl_shareable_list scores;
static snarl_lock *lock;
static snarl_connection here, there;

static int win(int mine) {
  snarl_with(lock) {
    snarl_auto_any wins = snarl_shareable_list_get(&scores, 2);
    if (snarl_shareable_list_set(&scores, 2, snarl_any_as_int(wins) + 1))
      return 1;
  }
  return snarl_shareable_list_set(&scores, mine, "won") != SNARL_OK;
}

static int left(void *unused) {
  (void)unused;
  snarl_auto_any next = snarl_shareable_list_get(&scores, 3);
  return snarl_connection_send_any(&here, snarl_any_keep(next), SNARL_FOREVER) || win(0);
}

static int right(void *unused) {
  (void)unused;
  snarl_auto_any next = snarl_connection_recv_any(&there, SNARL_FOREVER);
  return snarl_any_as_int(next) != 7 || snarl_shareable_list_set(&scores, 3, 8) || win(1);
}

int main(void) {
  snarl_any values = snarl_any_list();
  snarl_shared_memory memory;
  if (snarl_shared_memory_create(&memory, NULL, sizeof *lock) || snarl_lock_init_shared(lock = memory.data, "scores") ||
      snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX) || snarl_any_list_append(values, "lost") ||
      snarl_any_list_append(values, "lost") || snarl_any_list_append(values, 0) || snarl_any_list_append(values, 7) ||
      snarl_shareable_list_create(&scores, NULL, values))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  snarl_auto_any wins = snarl_shareable_list_get(&scores, 2);
  return snarl_any_as_int(wins) != 2 || snarl_shareable_list_close(&scores) || snarl_connection_close(&here) ||
         snarl_connection_close(&there);
}
