/* SPDX-License-Identifier: MIT
 *
 * What the programs with processes of the methods spawn and forkserver share: named ones, started side by side with the
 * same memory and joined. Part of each program, entered by the main threads of its processes.
 */
#ifndef SNARL_TEST_FRESH_H
#define SNARL_TEST_FRESH_H

#include "order.h"
#include <snarl/snarl.h>
#include <stdlib.h>

enum { FRESH_MOST = 3 };

/* In the memory that all of them have. */
static struct table {
  _Atomic int order;
  snarl_lock first, second;
  SNARL_SHARED(int) number;
} * table;

struct fresh {
  const char *name;
  int (*function)(void *);
};

/* What each of them does first. */
static inline void fresh_begin(void) {
  static snarl_shared_memory memory;
  if (snarl_given_memory("table", &memory))
    abort();
  table = (struct table *)memory.data;
}

static inline void table_make(snarl_shared_memory *memory) {
  if (snarl_shared_memory_create(memory, NULL, sizeof *table))
    abort();
  table = (struct table *)memory->data;
  if (snarl_lock_init_shared(&table->first, "first") || snarl_lock_init_shared(&table->second, "second") ||
      snarl_shared_init_shared(&table->number, "number"))
    abort();
}

static inline void fresh_run(enum snarl_start_method method, snarl_shared_memory *memory, const struct fresh *all,
                             int count) {
  snarl_process processes[FRESH_MOST];
  struct snarl_given given[] = {SNARL_GIVEN("table", memory)};
  for (int i = 0; i < count; i++)
    if (snarl_process_init(&processes[i], all[i].name, all[i].function, NULL) ||
        snarl_process_set_start(&processes[i], method) || snarl_process_give(&processes[i], given, 1) ||
        snarl_process_start(&processes[i]))
      abort();
  for (int i = 0; i < count; i++)
    if (snarl_process_join(&processes[i], SNARL_FOREVER))
      abort();
}

#define FRESH(method, memory, ...)                                                                                     \
  do {                                                                                                                 \
    const struct fresh all[] = {__VA_ARGS__};                                                                          \
    fresh_run((method), (memory), all, sizeof all / sizeof *all);                                                      \
  } while (0)

#endif
