/* SPDX-License-Identifier: MIT
 *
 * A child that ends at once. Part of each program, entered by its main thread.
 */
#ifndef SNARL_TEST_CHILD_H
#define SNARL_TEST_CHILD_H

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline pid_t child_that_ends(void) {
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  if (child < 0)
    abort();
  return child;
}

/* What is told is a parent that goes on long after its child has ended. */
static inline void lives_on(void) {
  struct timespec while_it_works = {.tv_nsec = 500000000};
  while (nanosleep(&while_it_works, &while_it_works))
    ;
}

#endif
