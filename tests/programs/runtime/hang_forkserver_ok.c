/* SPDX-License-Identifier: MIT
 *
 * Two processes of a fork server lock two locks between them in the same order.
 */
#include "fresh.h"

static int both(void *unused) {
  (void)unused;
  fresh_begin();
  order_meet(&table->order, 2);
  snarl_with(&table->first) { snarl_with(&table->second) snarl_shared_update(&table->number, += 1); }
  return 0;
}
SNARL_ENTRY(both);

int main(void) {
  snarl_shared_memory memory;
  table_make(&memory);
  FRESH(SNARL_START_FORKSERVER, &memory, {"left", both}, {"right", both});
  return snarl_shared_memory_close(&memory);
}
