/* SPDX-License-Identifier: MIT
 *
 * A parent reads its child's answer and then waits for it to end.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

enum { TOO_MUCH = 1 << 17 }; /* for a pipe */

static void answer(int out) {
  static char bytes[TOO_MUCH];
  for (size_t done = 0; done < sizeof bytes;) {
    ssize_t written = write(out, bytes + done, sizeof bytes - done);
    if (written <= 0)
      abort();
    done += (size_t)written;
  }
}

static void drain(int in) {
  char bytes[4096];
  while (read(in, bytes, sizeof bytes) > 0)
    ;
}

int main(void) {
  int ends[2];
  if (pipe(ends))
    abort();
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    answer(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  drain(ends[0]);
  return waitpid(child, NULL, 0) != child;
}
