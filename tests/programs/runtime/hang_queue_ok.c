/* SPDX-License-Identifier: MIT
 *
 * The producer closes the queue; the consumer takes what is left and ends.
 */
#include <snarl/snarl.h>

static snarl_queue orders = SNARL_QUEUE_INIT("orders", 2);

static void *consume(void *unused) {
  void *order;
  while (snarl_queue_get(&orders, &order, SNARL_FOREVER) == SNARL_OK)
    ;
  return unused;
}

int main(void) {
  snarl_thread consumer = SNARL_THREAD_INIT("consumer", consume, NULL);
  int status = snarl_thread_start(&consumer);
  for (int i = 0; i < 3 && !status; i++)
    status = snarl_queue_put(&orders, &orders, SNARL_FOREVER);
  return status || snarl_queue_close(&orders) || snarl_thread_join(&consumer, SNARL_FOREVER);
}
