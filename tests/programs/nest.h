/* SPDX-License-Identifier: MIT
 *
 * Two mutexes, one inside the other; and a program that ends at once if what it tests does not come about. Part of the
 * test programs about memory that is used again.
 */
#ifndef SNARL_TEST_NEST_H
#define SNARL_TEST_NEST_H

#include "run.h"
#include <stdio.h>

static inline void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
  pthread_mutex_lock(outer);
  pthread_mutex_lock(inner);
  pthread_mutex_unlock(inner);
  pthread_mutex_unlock(outer);
}

/* The same address, of which the compiler knows nothing: what these programs do with memory is what it warns of. */
static inline pthread_mutex_t *laundered(pthread_mutex_t *mutex) {
  __asm__("" : "+r"(mutex));
  return mutex;
}

static inline void must(int is_right, const char *what) {
  if (is_right)
    return;
  fprintf(stderr, "%s failed\n", what);
  _Exit(1);
}
#define MUST(condition) must(condition, #condition)

#endif
