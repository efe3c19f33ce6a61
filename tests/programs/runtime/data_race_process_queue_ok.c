/* SPDX-License-Identifier: MIT
 *
 * A process writes a variable, then tells another through a queue that it is ready.
 */
#include "processes.h"

static SNARL_SHARED(int) * price;
static snarl_process_queue ready;

static int left(void *unused) {
  (void)unused;
  snarl_shared_write(price, 5);
  return snarl_process_queue_put(&ready, NULL, 0, SNARL_FOREVER);
}

static int right(void *unused) {
  (void)unused;
  int64_t size = snarl_process_queue_get_into(&ready, NULL, 0, SNARL_FOREVER);
  (void)snarl_shared_read(price);
  return size != 0;
}

int main(void) {
  snarl_shared_memory memory;
  if (snarl_shared_memory_create(&memory, NULL, sizeof *price) || snarl_process_queue_init(&ready, "ready", 0))
    return 1;
  price = memory.data;
  if (snarl_shared_init_shared(price, "price"))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  return snarl_process_queue_destroy(&ready);
}
