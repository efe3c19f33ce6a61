/* SPDX-License-Identifier: MIT
 *
 * Workers that wait for an Event, and waiting for the first that ends. Part of each program, entered by its main thread
 * and its children's.
 */
#ifndef SNARL_TEST_FIRST_TO_END_H
#define SNARL_TEST_FIRST_TO_END_H

#include <snarl/snarl.h>

enum { WORKERS = 2 };

static snarl_event *may_end;

static inline int worker(void *unused) {
  (void)unused;
  return snarl_event_wait(may_end, SNARL_FOREVER);
}

static inline int first_to_end(bool is_let) {
  static snarl_process workers[WORKERS] = {SNARL_PROCESS_INIT("worker-0", worker, NULL),
                                           SNARL_PROCESS_INIT("worker-1", worker, NULL)};
  struct snarl_awaited awaited[WORKERS];
  snarl_shared_memory memory;
  if (snarl_shared_memory_create(&memory, NULL, sizeof *may_end))
    return 1;
  may_end = (snarl_event *)memory.data;
  if (snarl_event_init_shared(may_end, "may end"))
    return 1;
  for (int i = 0; i < WORKERS; i++) {
    awaited[i] = (struct snarl_awaited){.process = &workers[i]};
    if (snarl_process_start(&workers[i]))
      return 1;
  }
  if (is_let && snarl_event_set(may_end))
    return 1;
  if (snarl_connection_wait(awaited, WORKERS, SNARL_FOREVER) < 1 || snarl_event_set(may_end))
    return 1;
  for (int i = 0; i < WORKERS; i++) /* also the wait for one alone */
    if (snarl_connection_wait(&awaited[i], 1, SNARL_FOREVER) != 1 || snarl_process_join(&workers[i], SNARL_FOREVER))
      return 1;
  return snarl_shared_memory_close(&memory);
}

#endif
