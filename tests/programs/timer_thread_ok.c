/* SPDX-License-Identifier: MIT
 *
 * Reads a pipe that only the thread of a timer writes to, after a second: libc makes that thread, unseen.
 */
#include "run.h"
#include <signal.h>
#include <time.h>
#include <unistd.h>

static int ends[2];

static void ring(union sigval unused) {
  (void)unused;
  if (write(ends[1], "x", 1) != 1)
    abort();
}

int main(void) {
  char byte;
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = ring};
  struct itimerspec soon = {.it_value = {1, 0}};
  if (pipe(ends) || timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
    abort();
  return read(ends[0], &byte, 1) != 1;
}
