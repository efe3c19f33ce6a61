/* SPDX-License-Identifier: MIT
 *
 * A Lock that a thread holds for a while, and a process that wants it. Part of each program, entered by its threads.
 */
#ifndef SNARL_TEST_LOG_OF_THREADS_H
#define SNARL_TEST_LOG_OF_THREADS_H

#include <snarl/snarl.h>
#include <stdlib.h>

static snarl_lock log_lock = SNARL_LOCK_INIT("log");
static snarl_event is_held = SNARL_EVENT_INIT("is held"), may_go = SNARL_EVENT_INIT("may go");
static bool is_main_first;

static inline void *writer(void *unused) {
  snarl_with(&log_lock) {
    (void)snarl_event_set(&is_held);
    (void)snarl_event_wait(&may_go, SNARL_FOREVER);
  }
  return unused;
}

/* In the process there is no thread that could release it, which the status says. */
static inline int process_writes(void *unused) {
  (void)unused;
  if (is_main_first)
    return snarl_lock_release(&log_lock) || snarl_lock_acquire(&log_lock, SNARL_FOREVER) ||
           snarl_lock_release(&log_lock);
  return snarl_lock_acquire(&log_lock, SNARL_FOREVER) != SNARL_OWNER_ENDED;
}

static inline int start_while_held(bool main_first) {
  snarl_thread thread = SNARL_THREAD_INIT("writer", writer, NULL);
  snarl_process process = SNARL_PROCESS_INIT("process", process_writes, NULL);
  is_main_first = main_first;
  if (main_first)
    (void)snarl_event_set(&may_go);
  if (snarl_thread_start(&thread) || snarl_event_wait(&is_held, SNARL_FOREVER) ||
      (main_first && snarl_lock_acquire(&log_lock, SNARL_FOREVER)) || snarl_process_start(&process))
    return 1;
  (void)snarl_event_set(&may_go);
  if (main_first && snarl_lock_release(&log_lock))
    return 1;
  return snarl_process_join(&process, SNARL_FOREVER) || snarl_thread_join(&thread, SNARL_FOREVER);
}

#endif
