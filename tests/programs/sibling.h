/* SPDX-License-Identifier: MIT
 *
 * A pipe whose writer ends, and a sibling of the writer that waits on another. Part of each program, entered by its
 * main thread and its children's.
 */
#ifndef SNARL_TEST_SIBLING_H
#define SNARL_TEST_SIBLING_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int data[2], stop[2];

static inline _Noreturn void writer(void) {
  char byte = 0;
  _exit(write(data[1], &byte, 1) != 1);
}

static inline _Noreturn void sibling(bool is_tidy) {
  char byte;
  close(stop[1]);
  if (is_tidy)
    close(data[1]);
  _exit(read(stop[0], &byte, 1) != 0);
}

static inline int read_to_the_end(bool is_tidy) {
  char byte;
  int failed = 0, status;
  if (pipe(data) || pipe(stop))
    abort();
  pid_t first = fork();
  if (first == 0)
    writer();
  pid_t second = fork();
  if (second == 0)
    sibling(is_tidy);
  close(data[1]);
  close(stop[0]);
  while (read(data[0], &byte, 1) > 0)
    ;
  close(stop[1]);
  for (int i = 0; i < 2; i++)
    failed += wait(&status) < 0 || status;
  return failed;
}

#endif
