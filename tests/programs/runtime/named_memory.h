/* SPDX-License-Identifier: MIT
 *
 * Shared memory that a program makes and a process of it attaches by its name. Part of each program, entered by its
 * main thread.
 */
#ifndef SNARL_TEST_NAMED_MEMORY_H
#define SNARL_TEST_NAMED_MEMORY_H

#include "processes.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static char name[40];
static bool unlinks;

static inline int writer(void *unused) {
  (void)unused;
  snarl_shared_memory memory;
  if (snarl_shared_memory_attach(&memory, name) || (unlinks && snarl_shared_memory_unlink(&memory)))
    return 1;
  *(int *)memory.data = 7;
  return snarl_shared_memory_close(&memory) != SNARL_OK;
}

static inline void use_memory(void) {
  snarl_shared_memory memory;
  snprintf(name, sizeof name, "snarl-test-memory-%d", (int)getpid());
  if (snarl_shared_memory_create(&memory, name, 4096))
    abort();
  PROCESSES({"writer", writer});
  if (*(int *)memory.data != 7 || snarl_shared_memory_close(&memory))
    abort();
}

/* For the sake of the machine, in a way that is not recorded. */
static inline void memory_tidy(void) {
  char path[80];
  snprintf(path, sizeof path, "/dev/shm/%s", name);
  if (syscall(SYS_unlink, path))
    abort();
}

#endif
