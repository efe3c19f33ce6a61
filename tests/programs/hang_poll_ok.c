/* SPDX-License-Identifier: MIT
 *
 * Joins a thread that polls a pipe after writing to that pipe.
 */
#include "run.h"
#include <poll.h>
#include <unistd.h>

static int ends[2];

static void *watcher(void *unused) {
  struct pollfd set = {.fd = ends[0], .events = POLLIN};
  if (poll(&set, 1, -1) != 1)
    abort();
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pipe(ends) || pthread_create(&thread, NULL, watcher, NULL))
    abort();
  if (write(ends[1], "x", 1) != 1)
    abort();
  if (pthread_join(thread, NULL))
    abort();
  return 0;
}
