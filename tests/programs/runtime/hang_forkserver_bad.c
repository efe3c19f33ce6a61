/* SPDX-License-Identifier: MIT
 *
 * Two processes of a fork server lock two locks between them in opposite order, each when the other has its first one.
 */
#include "fresh.h"

static int left(void *unused) {
  (void)unused;
  fresh_begin();
  snarl_with(&table->first) {
    order_meet(&table->order, 2);
    snarl_with(&table->second) order_meet(&table->order, 2);
  }
  return 0;
}
SNARL_ENTRY(left);

static int right(void *unused) {
  (void)unused;
  fresh_begin();
  snarl_with(&table->second) {
    order_meet(&table->order, 2);
    snarl_with(&table->first) order_meet(&table->order, 2);
  }
  return 0;
}
SNARL_ENTRY(right);

int main(void) {
  snarl_shared_memory memory;
  table_make(&memory);
  FRESH(SNARL_START_FORKSERVER, &memory, {"left", left}, {"right", right});
  return snarl_shared_memory_close(&memory);
}
