/* SPDX-License-Identifier: MIT
 *
 * System calls past libc's functions: a shim that listens to those is not told of ours, which have records of their
 * own; they are no cancellation points; errno stays. Entered by any thread.
 */
#ifndef SNARLI_SYSTEM_H
#define SNARLI_SYSTEM_H

#include "seam.h"
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The result, -errno on failure. */
#define snarli_system(...)                                                                                             \
  __extension__({                                                                                                      \
    int snarli_saved = errno;                                                                                          \
    long snarli_result = syscall(__VA_ARGS__);                                                                         \
    snarli_result = snarli_result == -1 ? -errno : snarli_result;                                                      \
    errno = snarli_saved;                                                                                              \
    snarli_result;                                                                                                     \
  })

/* Waits for any of them; handlers of signals do not end it. How many are ready, 0: the deadline passed, or -errno. */
long snarli_poll(struct pollfd *polled, size_t count, int64_t deadline);
/* So many bytes may a file have that this process makes longer: more is a signal, in files without a name as well. */
uint64_t snarli_file_most(void);

#endif
