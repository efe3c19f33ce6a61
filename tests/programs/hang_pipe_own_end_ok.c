/* SPDX-License-Identifier: MIT
 *
 * Reads a pipe to its end: nobody else has its writing end.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  int ends[2];
  char byte = 0;
  if (pipe(ends))
    abort();
  pid_t child = fork();
  if (child == 0)
    _exit(write(ends[1], &byte, 1) != 1);
  close(ends[1]);
  if (waitpid(child, NULL, 0) != child)
    abort();
  while (read(ends[0], &byte, 1) > 0)
    ;
  return 0;
}
