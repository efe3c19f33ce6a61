/* SPDX-License-Identifier: MIT
 *
 * A program locks a file, runs commands, with system and popen, that lock another, and one that locks the same after it
 * has given it up; then it waits for a child of its own.
 */
#include "files.h"
#include <string.h>

/* The program is its own helper: "hang_system_ok FILE" locks and ends. */
int main(int argc, char **argv) {
  int fd = files_open(argc > 1 ? argv[1] : "a.lock"), status = -1;
  char command[4200];
  if (argc > 1)
    return flock(fd, LOCK_EX);
  snprintf(command, sizeof command, "exec '%s' b.lock", argv[0]);
  flock(fd, LOCK_EX);
  if (system(command) || system("exit 0") || system(NULL) != 1)
    return 1;
  FILE *other = popen(command, "r");
  if (!other || pclose(other))
    return 1;
  flock(fd, LOCK_UN);
  strcpy(strstr(command, "b.lock"), "a.lock");
  if (system(command))
    return 1;
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  return child < 0 || waitpid(-1, &status, 0) != child || status != 0;
}
