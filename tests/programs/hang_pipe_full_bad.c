/* SPDX-License-Identifier: MIT
 *
 * A parent waits for its child to end and would read its answer then; the answer does not fit into the pipe.
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
  return waitpid(child, NULL, 0) != child;
}
