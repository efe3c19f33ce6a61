/* SPDX-License-Identifier: MIT
 *
 * Polls a pipe that nobody else holds, and a timer, which ends the wait after a second.
 */
#include "run.h"
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(void) {
  int ends[2], timer = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec soon = {.it_value = {1, 0}};
  if (pipe(ends) || timer < 0 || timerfd_settime(timer, 0, &soon, NULL))
    abort();
  struct pollfd set[] = {{.fd = ends[0], .events = POLLIN}, {.fd = timer, .events = POLLIN}};
  return poll(set, 2, -1) != 1;
}
