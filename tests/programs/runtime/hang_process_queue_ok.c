/* SPDX-License-Identifier: MIT
 *
 * The producer closes the queue between processes; the consumer takes what is left and ends.
 */
#include "processes.h"

static snarl_process_queue orders;

static int produce(void *unused) {
  (void)unused;
  for (int i = 0; i < 3; i++)
    if (snarl_process_queue_put(&orders, &i, sizeof i, SNARL_FOREVER))
      return 1;
  return snarl_process_queue_close(&orders);
}

static int consume(void *unused) {
  (void)unused;
  int order;
  while (snarl_process_queue_get_into(&orders, &order, sizeof order, SNARL_FOREVER) >= 0)
    ;
  return 0;
}

int main(void) {
  if (snarl_process_queue_init(&orders, "orders", 2))
    return 1;
  PROCESSES({"producer", produce}, {"consumer", consume});
  return snarl_process_queue_destroy(&orders);
}
