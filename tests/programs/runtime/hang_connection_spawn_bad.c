/* SPDX-License-Identifier: MIT
 *
 * A spawned process waits for work until its connection is closed, and its parent for its end, without closing it.
 */
#include <snarl/snarl.h>

static int wait_for_work(void *unused) {
  snarl_connection orders;
  int order;
  (void)unused;
  if (snarl_given_connection("orders", &orders))
    return 1;
  return snarl_connection_recv_into(&orders, &order, sizeof order, SNARL_FOREVER) != SNARL_CLOSED;
}
SNARL_ENTRY(wait_for_work);

int main(void) {
  snarl_connection here, there;
  snarl_process worker = SNARL_PROCESS_INIT("worker", wait_for_work, NULL);
  struct snarl_given given[] = {SNARL_GIVEN("orders", &there)};
  if (snarl_pipe(&here, &there, "orders", SNARL_DUPLEX) || snarl_process_give(&worker, given, 1) ||
      snarl_process_set_start(&worker, SNARL_START_SPAWN) || snarl_process_start(&worker))
    return 1;
  return snarl_process_join(&worker, SNARL_FOREVER);
}
