/* SPDX-License-Identifier: MIT
 *
 * A process gets two messages and says of one only that it is dealt with; its parent waits for both.
 */
#include "processes.h"

static snarl_process_queue orders;

static int consume(void *unused) {
  (void)unused;
  for (int i = 0; i < 2; i++)
    if (snarl_process_queue_get_into(&orders, NULL, 0, SNARL_FOREVER) || (i && snarl_process_queue_task_done(&orders)))
      return 1;
  return 0;
}

int main(void) {
  if (snarl_process_queue_init(&orders, "orders", 0) || snarl_process_queue_put(&orders, NULL, 0, SNARL_FOREVER) ||
      snarl_process_queue_put(&orders, NULL, 0, SNARL_FOREVER))
    return 1;
  PROCESSES({"consumer", consume});
  return snarl_process_queue_join(&orders, SNARL_FOREVER) || snarl_process_queue_destroy(&orders);
}
