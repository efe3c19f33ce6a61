/* SPDX-License-Identifier: MIT
 *
 * What the test programs on libsnarl share: named threads, started side by side and joined. Part of each program,
 * entered by its main thread.
 */
#ifndef SNARL_TEST_THREADS_H
#define SNARL_TEST_THREADS_H

#include "order.h"
#include <snarl/snarl.h>
#include <stdlib.h>

enum { THREADS_MOST = 3 };

struct named {
  const char *name;
  void *(*function)(void *);
};

static inline void threads_run(const struct named *all, int count) {
  snarl_thread threads[THREADS_MOST];
  for (int i = 0; i < count; i++)
    if (snarl_thread_init(&threads[i], all[i].name, all[i].function, NULL) || snarl_thread_start(&threads[i]))
      abort();
  for (int i = 0; i < count; i++)
    if (snarl_thread_join(&threads[i], SNARL_FOREVER))
      abort();
}

#define THREADS(...)                                                                                                   \
  do {                                                                                                                 \
    const struct named all[] = {__VA_ARGS__};                                                                          \
    threads_run(all, sizeof all / sizeof *all);                                                                        \
  } while (0)

#endif
