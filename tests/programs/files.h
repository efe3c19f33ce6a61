/* SPDX-License-Identifier: MIT
 *
 * Files for the test programs that lock them: made by the process that begins, opened anew by whoever locks, so that
 * each opener has an open file description of its own. Part of each program, entered by any thread of it.
 */
#ifndef SNARL_TEST_FILES_H
#define SNARL_TEST_FILES_H

#include "run.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int files_open(const char *name) {
  const char *directory = getenv("TMPDIR");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory ? directory : "/tmp", name);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    abort();
  return fd;
}

/* fcntl on `size` bytes from `first`; 0 or the error. */
static inline int files_lock(int fd, int command, int type, off_t first, off_t size) {
  struct flock bytes = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = first, .l_len = size};
  return fcntl(fd, command, &bytes);
}

/* Runs both in processes of their own, this one and a child; 0 if the child ended with 0. */
static inline int files_run_two(void (*mine)(void), void (*childs)(void)) {
  pid_t child = fork();
  if (child == 0) {
    childs();
    _exit(0);
  }
  mine();
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

#endif
