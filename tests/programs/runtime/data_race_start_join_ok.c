/* SPDX-License-Identifier: MIT
 *
 * What a parent does before the start of a process, the process, and what the parent does after its join are in order,
 * whatever the start method.
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
  snarl_shared_update(&table->number, += 1);
  FRESH(SNARL_START_SPAWN, &memory, {"spawned", hit});
  snarl_shared_update(&table->number, += 1);
  FRESH(SNARL_START_FORKSERVER, &memory, {"served", hit});
  snarl_shared_update(&table->number, += 1);
  FRESH(SNARL_START_FORKSERVER, &memory, {"served again", hit});
  return snarl_shared_read(&table->number) != 6 || snarl_shared_memory_close(&memory);
}
