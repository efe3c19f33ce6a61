/* SPDX-License-Identifier: MIT
 *
 * What the test programs share: starting threads and waiting for them. Part of each program, entered by its main
 * thread.
 */
#ifndef SNARL_TEST_RUN_H
#define SNARL_TEST_RUN_H

#include "order.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { RUN_MOST = 3 };

/* Runs the routines in threads of their own, side by side, until all have ended. */
static inline void run_threads(void *(*const *routines)(void *), int count) {
  pthread_t threads[RUN_MOST];
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, routines[i], NULL))
      abort();
  for (int i = 0; i < count; i++)
    if (pthread_join(threads[i], NULL))
      abort();
}

#define RUN(...)                                                                                                       \
  do {                                                                                                                 \
    void *(*const routines[])(void *) = {__VA_ARGS__};                                                                 \
    run_threads(routines, sizeof routines / sizeof *routines);                                                         \
  } while (0)

/* Zeroed memory that forked processes share. */
static inline void *run_shared(size_t size) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED)
    abort();
  return at;
}

static inline void run_shared_mutex(pthread_mutex_t *mutex) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(mutex, &attr);
}

#endif
