/* SPDX-License-Identifier: MIT
 *
 * The recorder's stack walk (libunwind) keeps a pipe to probe memory with. It would take the lowest free descriptors,
 * which programs count on: a shell that redirects, a daemon that closed 0 to 2. Any thread.
 */
#include "wrapper.h"
#include <fcntl.h>
#include <sys/resource.h>

static int move_up(int fd) {
  struct rlimit limit = {.rlim_cur = 1024};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, limit.rlim_cur > 1024 ? 1000 : (int)limit.rlim_cur * 3 / 4);
  if (moved < 0)
    return fd;
  close(fd);
  return moved;
}

SNARLI_EXPORT int pipe2(int ends[2], int flags) {
  int result = snarli_real()->pipe2(ends, flags);
  if (result == 0 && snarli_is_walking()) {
    ends[0] = move_up(ends[0]);
    ends[1] = move_up(ends[1]);
  }
  return result;
}
