/* SPDX-License-Identifier: MIT
 *
 * A worker that does what it is told and answers. Part of each program, entered by its main thread and its child's.
 */
#ifndef SNARL_TEST_ORDER_OF_WORK_H
#define SNARL_TEST_ORDER_OF_WORK_H

#include <snarl/snarl.h>

static snarl_connection orders, answers, order_in, answer_out;

static inline int worker(void *unused) {
  char order;
  (void)unused;
  while (snarl_connection_recv_into(&order_in, &order, 1, SNARL_FOREVER) == 1 && order != 'q')
    (void)snarl_connection_send(&answer_out, &order, 1, SNARL_FOREVER);
  return 0;
}

/* 0: the worker has ended. */
static inline int work_until_it_ends(snarl_process *process) {
  struct snarl_awaited awaited[] = {{.connection = &answers}, {.process = process}};
  char answer;
  for (;;) {
    if (snarl_connection_wait(awaited, 2, SNARL_FOREVER) < 1)
      return 1;
    if (awaited[1].is_ready)
      return snarl_process_join(process, SNARL_FOREVER);
    if (snarl_connection_recv_into(&answers, &answer, 1, SNARL_FOREVER) != 1)
      return snarl_process_join(process, SNARL_FOREVER);
    if (snarl_connection_send(&orders, "q", 1, SNARL_FOREVER))
      return 1;
  }
}

static inline int work_is_done(bool is_ordered) {
  snarl_process process = SNARL_PROCESS_INIT("worker", worker, NULL);
  if (snarl_pipe(&order_in, &orders, "orders", SNARL_SIMPLEX) ||
      snarl_pipe(&answers, &answer_out, "answers", SNARL_SIMPLEX) || snarl_connection_give(&order_in, &process) ||
      snarl_connection_give(&answer_out, &process) || snarl_process_start(&process))
    return 1;
  if (is_ordered && snarl_connection_send(&orders, "w", 1, SNARL_FOREVER))
    return 1;
  return work_until_it_ends(&process);
}

#endif
