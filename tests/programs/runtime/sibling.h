/* SPDX-License-Identifier: MIT
 *
 * A sender that ends, and a process beside it that waits for orders. Part of each program, entered by its main thread
 * and its children's.
 */
#ifndef SNARL_TEST_SIBLING_H
#define SNARL_TEST_SIBLING_H

#include <snarl/snarl.h>

static snarl_connection in, out, orders, order_in;

static inline int sender(void *unused) {
  (void)unused;
  return snarl_connection_send(&out, "last words", 10, SNARL_FOREVER);
}

static inline int waiter(void *unused) {
  char order;
  (void)unused;
  return snarl_connection_recv_into(&order_in, &order, 1, SNARL_FOREVER) != 1;
}

static inline int receive_to_the_end(bool are_given) {
  char words[16];
  snarl_process first = SNARL_PROCESS_INIT("sender", sender, NULL), second = SNARL_PROCESS_INIT("waiter", waiter, NULL);
  if (snarl_pipe(&in, &out, "words", SNARL_SIMPLEX) || snarl_pipe(&order_in, &orders, "orders", SNARL_SIMPLEX))
    return 1;
  if (are_given && (snarl_connection_give(&out, &first) || snarl_connection_give(&order_in, &second)))
    return 1;
  if (snarl_process_start(&first) || snarl_process_start(&second) || (!are_given && snarl_connection_close(&out)))
    return 1;
  while (snarl_connection_recv_into(&in, words, sizeof words, SNARL_FOREVER) > 0)
    ;
  return snarl_connection_send(&orders, "q", 1, SNARL_FOREVER) || snarl_process_join(&first, SNARL_FOREVER) ||
         snarl_process_join(&second, SNARL_FOREVER);
}

#endif
