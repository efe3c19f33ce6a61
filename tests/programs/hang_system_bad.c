/* SPDX-License-Identifier: MIT
 *
 * A program locks a file and runs a command, with system, that locks the same file.
 */
#include "files.h"
#include <string.h>

/* The program is its own helper: "hang_system_bad lock" locks and ends. */
int main(int argc, char **argv) {
  int fd = files_open("a.lock");
  if (argc > 1)
    return flock(fd, LOCK_EX);
  char command[4200];
  snprintf(command, sizeof command, "exec '%s' lock", argv[0]);
  flock(fd, LOCK_EX);
  return system(command);
}
