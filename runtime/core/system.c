/* SPDX-License-Identifier: MIT
 *
 * Waiting for descriptors, and how long files may be. Entered by any thread.
 */
#include "system.h"
#include <sys/resource.h>

enum { BILLION = 1000000000 };

static struct timespec left_until(int64_t deadline) {
  int64_t left = deadline > 0 ? deadline - snarl_clock() : 0;
  left = left > 0 ? left : 0;
  return (struct timespec){.tv_sec = left / BILLION, .tv_nsec = left % BILLION};
}

long snarli_poll(struct pollfd *polled, size_t count, int64_t deadline) {
  long ready;
  do {
    struct timespec left = left_until(deadline);
    ready = snarli_system(SYS_ppoll, polled, count, deadline == SNARLI_NEVER ? NULL : &left, NULL, 0);
  } while (ready == -EINTR);
  return ready;
}

uint64_t snarli_file_most(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}
