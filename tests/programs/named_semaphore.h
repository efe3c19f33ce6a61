/* SPDX-License-Identifier: MIT
 *
 * A named semaphore that a program makes and a child of it opens. Part of each program, entered by its main thread.
 */
#ifndef SNARL_TEST_NAMED_SEMAPHORE_H
#define SNARL_TEST_NAMED_SEMAPHORE_H

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[40];
static int removes_name;

static inline void child_posts(void) {
  sem_t *turn = sem_open(name, O_CREAT, 0600, 0); /* it is there */
  if (turn == SEM_FAILED || (removes_name && sem_unlink(name)) || sem_post(turn) || sem_close(turn))
    _exit(1);
  _exit(0);
}

static inline void use_semaphore(void) {
  snprintf(name, sizeof name, "/snarl-test-turn-%d", (int)getpid());
  sem_t *turn = sem_open(name, O_CREAT, 0600, 0);
  if (turn == SEM_FAILED)
    abort();
  pid_t child = fork();
  if (child == 0)
    child_posts();
  int status;
  if (child < 0 || sem_wait(turn) || waitpid(child, &status, 0) != child || status || sem_close(turn))
    abort();
}

/* For the sake of the machine, in a way that is not recorded. */
static inline void named_semaphore_tidy(void) {
  char path[80];
  snprintf(path, sizeof path, "/dev/shm/sem.%s", name + 1);
  if (syscall(SYS_unlink, path))
    abort();
}

#endif
