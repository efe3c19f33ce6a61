/* SPDX-License-Identifier: MIT
 *
 * A child ends and is waited for, late. Another ends when nobody is to be told.
 */
#include "child.h"
#include <signal.h>

int main(void) {
  pid_t child = child_that_ends();
  lives_on();
  if (waitpid(child, NULL, 0) != child)
    abort();
  struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
  if (sigaction(SIGCHLD, &action, NULL))
    abort();
  (void)child_that_ends();
  lives_on();
  return 0;
}
