/* SPDX-License-Identifier: MIT
 *
 * Parent and child each read from the other before they write to it.
 */
#include "run.h"
#include <sys/wait.h>
#include <unistd.h>

static void exchange(int in, int out, int is_first) {
  char byte = 0;
  if (is_first && write(out, &byte, 1) != 1)
    abort();
  if (read(in, &byte, 1) != 1)
    abort();
  if (!is_first && write(out, &byte, 1) != 1)
    abort();
}

int main(void) {
  int there[2], back[2];
  if (pipe(there) || pipe(back))
    abort();
  pid_t child = fork();
  if (child == 0) {
    close(there[1]);
    close(back[0]);
    exchange(there[0], back[1], 0);
    _exit(0);
  }
  close(there[0]);
  close(back[1]);
  exchange(back[0], there[1], 0);
  return waitpid(child, NULL, 0) != child;
}
