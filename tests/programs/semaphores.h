/* SPDX-License-Identifier: MIT
 *
 * System V semaphores for the test programs, and two processes that use them. A program that is killed leaves its set,
 * unless it may have an IPC namespace of its own. Part of each program, entered by any thread of it.
 */
#ifndef SNARL_TEST_SEMAPHORES_H
#define SNARL_TEST_SEMAPHORES_H

#include "run.h"
#include <sched.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

static int set;
static _Atomic int *step;

static inline void semaphore_change(int number, int by) {
  struct sembuf change = {(unsigned short)number, (short)by, 0};
  if (semop(set, &change, 1))
    _exit(3); /* the set was removed */
}
static inline void semaphore_take(int number) { semaphore_change(number, -1); }
static inline void semaphore_give(int number) { semaphore_change(number, 1); }

/* A set of two with these values, and both in processes of their own; 0 if the child ended with 0. */
static inline int semaphores_run(int first, int second, void (*mine)(void), void (*childs)(void)) {
  step = run_shared(sizeof *step);
  (void)unshare(CLONE_NEWIPC);
  set = semget(IPC_PRIVATE, 2, 0600);
  if (set < 0 || semctl(set, 0, SETVAL, first) || semctl(set, 1, SETVAL, second))
    abort();
  pid_t child = fork();
  if (child == 0) {
    childs();
    _exit(0);
  }
  mine();
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child || status != 0 || semctl(set, 0, IPC_RMID);
}

#endif
