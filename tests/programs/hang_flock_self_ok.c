/* SPDX-License-Identifier: MIT
 *
 * A process locks a file through two descriptors of one open file description, through one that a child shares, and
 * anew once the first is closed in both.
 */
#include "files.h"

int main(void) {
  int first = files_open("a.lock"), second = dup(first), ends[2];
  char byte;
  if (pipe(ends))
    return 1;
  flock(first, LOCK_EX);
  flock(second, LOCK_EX);
  close(first);
  pid_t child = fork();
  if (child == 0) {
    flock(second, LOCK_EX);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 0)
      abort();
    _exit(0);
  }
  close(second);
  close(ends[1]);
  int status = -1, third = files_open("a.lock");
  flock(third, LOCK_EX); /* until the child ends */
  close(third);
  return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
