/* SPDX-License-Identifier: MIT
 *
 * What the test programs on libsnarl share: named processes, started side by side and joined. Part of each program,
 * entered by its main thread.
 */
#ifndef SNARL_TEST_PROCESSES_H
#define SNARL_TEST_PROCESSES_H

#include "order.h"
#include <snarl/snarl.h>
#include <stdlib.h>

enum { PROCESSES_MOST = 3 };

struct named {
  const char *name;
  int (*function)(void *);
};

static inline void processes_run(const struct named *all, int count) {
  snarl_process processes[PROCESSES_MOST];
  for (int i = 0; i < count; i++)
    if (snarl_process_init(&processes[i], all[i].name, all[i].function, NULL) || snarl_process_start(&processes[i]))
      abort();
  for (int i = 0; i < count; i++)
    if (snarl_process_join(&processes[i], SNARL_FOREVER))
      abort();
}

#define PROCESSES(...)                                                                                                 \
  do {                                                                                                                 \
    const struct named all[] = {__VA_ARGS__};                                                                          \
    processes_run(all, sizeof all / sizeof *all);                                                                      \
  } while (0)

#endif
