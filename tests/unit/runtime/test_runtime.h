/* SPDX-License-Identifier: MIT
 *
 * What the tests of the runtime share: plain threads beside those of the library, and clocks. Entered by the tests'
 * threads.
 */
#ifndef SNARL_TEST_RUNTIME_H
#define SNARL_TEST_RUNTIME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the above */
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <snarl/snarl.h>
#include <stdlib.h>

/* Runs `body` in a thread of its own and waits for it. */
static inline void *in_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  void *result;
  if (pthread_create(&thread, NULL, body, argument) || pthread_join(thread, &result))
    abort();
  return result;
}

static inline pthread_t begin_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, body, argument))
    abort();
  return thread;
}

static inline void *end_thread(pthread_t thread) {
  void *result;
  if (pthread_join(thread, &result))
    abort();
  return result;
}

static inline void *as_pointer(int status) { return (void *)(intptr_t)status; }
static inline int as_status(const void *result) { return (int)(intptr_t)result; }

/* The call took at least so long, and not for ever. */
#define assert_lasted(begin, least)                                                                                    \
  do {                                                                                                                 \
    assert_true(snarl_clock() - (begin) >= (least));                                                                   \
    assert_true(snarl_clock() - (begin) < (least) + SNARL_S(5));                                                       \
  } while (0)

#endif
