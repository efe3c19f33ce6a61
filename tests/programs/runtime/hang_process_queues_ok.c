/* SPDX-License-Identifier: MIT
 *
 * Two processes, two queues between them: one sends first, the other answers.
 */
#include "processes.h"

static snarl_process_queue to_left, to_right;

static int left(void *unused) {
  (void)unused;
  return snarl_process_queue_put(&to_right, NULL, 0, SNARL_FOREVER) ||
         snarl_process_queue_get_into(&to_left, NULL, 0, SNARL_FOREVER) != 0;
}

static int right(void *unused) {
  (void)unused;
  return snarl_process_queue_get_into(&to_right, NULL, 0, SNARL_FOREVER) != 0 ||
         snarl_process_queue_put(&to_left, NULL, 0, SNARL_FOREVER);
}

int main(void) {
  if (snarl_process_queue_init(&to_left, "to left", 1) || snarl_process_queue_init(&to_right, "to right", 1))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  return snarl_process_queue_destroy(&to_left) || snarl_process_queue_destroy(&to_right);
}
