/* SPDX-License-Identifier: MIT
 *
 * Timer: a function that is called after a while, unless it is cancelled before. All timers are called by one thread,
 * one after the other; a function that takes long delays the others. Leaving main waits for timers that are started, as
 * Python does.
 *
 * start: SNARL_OK, SNARL_STARTED, and what starting a thread answers. cancel: 1 when it will not be called, 0 when it
 * was or is just called. join: SNARL_OK when it was called or cancelled, SNARL_TIMEOUT, SNARL_NOT_STARTED,
 * SNARL_DEADLOCK (in its own function).
 */
#ifndef SNARL_TIMER_H
#define SNARL_TIMER_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_timer {
  struct snarl_object object;
  snarl_time delay, deadline;
  void (*function)(void *argument);
  void *argument;
  struct snarl_timer *next, *previous;
  uint32_t state;
} snarl_timer;

#define SNARL_TIMER_INIT(name, delay, function, argument)                                                              \
  { SNARLI_OBJECT_INIT(TIMER, name), (delay), 0, (function), (argument), NULL, NULL, 0 }

#define snarl_timer_init(timer, name, delay, function, argument)                                                       \
  snarl_timer_init_at((timer), (name), (delay), (function), (argument), SNARL_HERE)
#define snarl_timer_start(timer) snarl_timer_start_at((timer), SNARL_HERE)
#define snarl_timer_cancel(timer) snarl_timer_cancel_at((timer), SNARL_HERE)
#define snarl_timer_join(timer, timeout) snarl_timer_join_at((timer), (timeout), SNARL_HERE)
int snarl_timer_init_at(snarl_timer *timer, const char *name, snarl_time delay, void (*function)(void *),
                        void *argument, struct snarl_site *site);
int snarl_timer_start_at(snarl_timer *timer, struct snarl_site *site);
int snarl_timer_cancel_at(snarl_timer *timer, struct snarl_site *site);
int snarl_timer_join_at(snarl_timer *timer, snarl_time timeout, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
