/* SPDX-License-Identifier: MIT
 *
 * Reads a pipe that only a signal handler of the same process writes to, when the alarm comes after a second.
 */
#include "run.h"
#include <signal.h>
#include <unistd.h>

static int ends[2];

static void ring(int signal) {
  (void)signal;
  if (write(ends[1], "x", 1) != 1)
    abort();
}

int main(void) {
  char byte;
  struct sigaction action = {.sa_handler = ring, .sa_flags = SA_RESTART};
  if (pipe(ends) || sigaction(SIGALRM, &action, NULL))
    abort();
  alarm(1);
  return read(ends[0], &byte, 1) != 1;
}
