/* SPDX-License-Identifier: MIT
 *
 * Two spawned processes increment a variable between them, without a lock.
 */
#include "fresh.h"

static int hit(void *unused) {
  (void)unused;
  fresh_begin();
  snarl_shared_update(&table->number, += 1);
  return 0;
}
SNARL_ENTRY(hit);

int main(void) {
  snarl_shared_memory memory;
  table_make(&memory);
  FRESH(SNARL_START_SPAWN, &memory, {"left", hit}, {"right", hit});
  return snarl_shared_memory_close(&memory);
}
