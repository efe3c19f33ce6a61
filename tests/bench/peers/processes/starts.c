/* SPDX-License-Identifier: MIT
 *
 * Starting a process that does nothing, and waiting for its end: one after the other. A spawned one is a program that
 * has to be loaded.
 */
#include "process_peers.h"
#include <snarl/snarl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int is_good(pid_t pid) {
  int status;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int fork_one(void) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  return is_good(pid);
}

static int spawn_one(void) {
  char program[] = "/bin/true", *const arguments[] = {program, NULL};
  pid_t pid;
  return posix_spawn(&pid, program, NULL, NULL, arguments, environ) == 0 && is_good(pid);
}

static int nothing(void *unused) {
  (void)unused;
  return 0;
}
static int own_one(void) {
  snarl_process process = SNARL_PROCESS_INIT("nothing", nothing, NULL);
  return snarl_process_start(&process) == SNARL_OK && snarl_process_join(&process, SNARL_FOREVER) == SNARL_OK;
}

#define PEER(function, start)                                                                                          \
  static void function(int worker, long operations) {                                                                  \
    uint64_t started = 0;                                                                                              \
    double begin = now();                                                                                              \
    for (long i = 0; i < operations; i++)                                                                              \
      started += start() != 0;                                                                                         \
    tell(worker, begin, started, 0);                                                                                   \
  }
PEER(by_fork, fork_one)
PEER(by_spawn, spawn_one)
PEER(by_snarl, own_one)

const struct process_peer start_peers[] = {
    {.subject = "process", .name = "fork", .workers = 1, .run = by_fork},
    {.subject = "process", .name = "posix_spawn", .workers = 1, .run = by_spawn},
    {.subject = "process", .name = "snarl", .workers = 1, .run = by_snarl},
    {.subject = NULL},
};
