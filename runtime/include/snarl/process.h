/* SPDX-License-Identifier: MIT
 *
 * Process: a function in a child process of its own, or a struct of yours that begins with a snarl_process and brings
 * its own run, as a subclass would. What the function returns is the exit code, as of main.
 *
 *   snarl_process worker = SNARL_PROCESS_INIT("worker", work, &job);
 *   snarl_process_start(&worker);
 *   if (snarl_process_join(&worker, SNARL_FOREVER) == SNARL_FAILED)
 *     printf("exit code %d\n", snarl_process_exit_code(&worker));
 *
 * Unless told otherwise (start methods, below) the child is a fork: it has a copy of the parent's memory and the
 * calling thread alone. Locks that other threads hold at that time stay held in it for ever; what libsnarl has for
 * itself is made new. What the parent has printed is flushed before, so nothing is printed twice. When the function has
 * returned, the child waits for its own threads, timers and processes, flushes stdout and stderr and leaves by _exit:
 * handlers of atexit are the parent's and do not run, and other streams must be closed by the function.
 *
 * A process is started once and joined as often as you like, by the process that has started it; its object lives until
 * it was joined, or has ended and nobody asks for it. A program that leaves main or calls exit terminates its daemons
 * and waits for all its processes, as Python does.
 *
 * start: SNARL_OK, SNARL_STARTED, SNARL_NO_MEMORY, SNARL_NO_PROCESS, SNARL_NO_DESCRIPTOR, SNARL_DAEMON. join: SNARL_OK,
 * SNARL_FAILED (its exit code is not 0, or it was killed), SNARL_TIMEOUT, SNARL_NOT_STARTED, SNARL_DEADLOCK (itself),
 * SNARL_FORKED (it is no child of this process).
 *
 * Start methods. SNARL_START_SPAWN runs the program anew: the child is a fresh image of the same executable, in which
 * all constructors have run, and the function instead of main. Nothing is inherited by accident: not the memory, not
 * locks that somebody holds, no descriptors but the standard streams. SNARL_START_FORKSERVER has a server, a fresh
 * image too, fork itself: as clean, and faster where programs are slow to begin. So that the fresh image knows what to
 * run, the function is an entry, and what it gets is a copy of bytes or given by name (snarl/entry.h, snarl/given.h):
 *
 *   static int work(void *job) { ... }
 *   SNARL_ENTRY(work);
 *   snarl_process worker = SNARL_PROCESS_INIT("worker", work, NULL);
 *   snarl_process_set_start(&worker, SNARL_START_SPAWN);
 *   snarl_process_set_argument(&worker, &job, sizeof job);
 *
 * Both have the starting thread's signal mask, and the working directory and the environment of the time of the start.
 * Ignored signals stay ignored by spawn; by forkserver, as in the other things that a process has (limits, umask,
 * credentials), it is those of the server, which is made by the first start of that kind. A spawned child leaves by
 * exit, like any program; a forkserver's by _exit, like a fork. Its exit codes come through the server: if that one is
 * killed, the starts at that moment and the joins of its children say SNARL_SERVER_ENDED, the next start makes another.
 *
 * start, besides: SNARL_NOT_ENTRY, SNARL_NOT_COPIED (an argument that is a pointer alone, or a subclass),
 * SNARL_NO_IMAGE (the executable itself is not linked to libsnarl, or can be executed no more), SNARL_SERVER_ENDED.
 */
#ifndef SNARL_PROCESS_H
#define SNARL_PROCESS_H

#include <limits.h>
#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_process snarl_process;

struct snarl_given;

enum snarl_start_method { SNARL_START_DEFAULT, SNARL_START_FORK, SNARL_START_SPAWN, SNARL_START_FORKSERVER };

struct snarl_process {
  struct snarl_object object;
  int (*run)(snarl_process *self);
  int (*function)(void *argument);
  void *argument;
  size_t argument_size; /* 0: it is but a pointer */
  const struct snarl_given *given;
  size_t given_count;
  enum snarl_start_method start;
  uint64_t serial;
  uint32_t state, forks;
  int32_t pid, exit_code;
  bool is_daemon, is_servers;
  char number[20]; /* what it is called without a name */
};

#define SNARL_PROCESS_INIT(name, function, argument)                                                                   \
  {                                                                                                                    \
    SNARLI_OBJECT_INIT(PROCESS, name), NULL, (function), (argument), 0, NULL, 0, SNARL_START_DEFAULT, 0, 0, 0, 0, 0,   \
        false, false, ""                                                                                               \
  }
#define SNARL_PROCESS_INIT_RUN(name, run)                                                                              \
  {                                                                                                                    \
    SNARLI_OBJECT_INIT(PROCESS, name), (run), NULL, NULL, 0, NULL, 0, SNARL_START_DEFAULT, 0, 0, 0, 0, 0, false,       \
        false, ""                                                                                                      \
  }

#define snarl_process_init(process, name, function, argument)                                                          \
  snarl_process_init_at((process), (name), (function), (argument), SNARL_HERE)
#define snarl_process_init_run(process, name, run) snarl_process_init_run_at((process), (name), (run), SNARL_HERE)
#define snarl_process_start(process) snarl_process_start_at((process), SNARL_HERE)
#define snarl_process_join(process, timeout) snarl_process_join_at((process), (timeout), SNARL_HERE)
/* SIGTERM, which the child may handle, and SIGKILL, which it cannot. One that has ended is left alone. */
#define snarl_process_terminate(process) snarl_process_terminate_at((process), SNARL_HERE)
#define snarl_process_kill(process) snarl_process_kill_at((process), SNARL_HERE)
int snarl_process_init_at(snarl_process *process, const char *name, int (*function)(void *), void *argument,
                          struct snarl_site *site);
int snarl_process_init_run_at(snarl_process *process, const char *name, int (*run)(snarl_process *self),
                              struct snarl_site *site);
int snarl_process_start_at(snarl_process *process, struct snarl_site *site);
int snarl_process_join_at(snarl_process *process, snarl_time timeout, struct snarl_site *site);
int snarl_process_terminate_at(snarl_process *process, struct snarl_site *site);
int snarl_process_kill_at(snarl_process *process, struct snarl_site *site);

/* Before the start; SNARL_STARTED else. A daemon is terminated when its parent exits, and may have no processes. */
int snarl_process_set_daemon(snarl_process *process, bool is_daemon);
bool snarl_process_is_daemon(const snarl_process *process);

/* Before the start; SNARL_STARTED else. SNARL_START_DEFAULT is what snarl_set_start_method says at the time of the
 * start, in this process and those that it starts: SNARL_START_FORK at first. A subclass is a fork by default. */
int snarl_process_set_start(snarl_process *process, enum snarl_start_method method);
int snarl_set_start_method(enum snarl_start_method method);
enum snarl_start_method snarl_get_start_method(void);

/* The function gets a pointer to a copy of these bytes, aligned for any type, whatever the start method. They are
 * copied by the start and stay where they are till then. */
int snarl_process_set_argument(snarl_process *process, const void *bytes, size_t size);

/* Started and not ended yet, as far as this process can tell: of itself, its parents and its children. */
bool snarl_process_is_alive(snarl_process *process);
/* 0 to 255, or -SIGKILL and so on of one that a signal has ended. SNARL_EXIT_NONE: it has not ended, or somebody else
 * has waited for it and knows. */
#define SNARL_EXIT_NONE INT_MIN
int snarl_process_exit_code(snarl_process *process);
/* 0 before the start. */
int snarl_process_pid(const snarl_process *process);
/* A descriptor that polls as readable when the process has ended, until it was joined; else a status. It is not to be
 * closed. */
int snarl_process_sentinel(snarl_process *process);
/* Its name, or "Process-1" and so on from its start on. Never NULL. */
const char *snarl_process_name(const snarl_process *process);

/* The object by which this process was started, or the main process's. NULL: this one was not started by another. */
snarl_process *snarl_current_process(void);
snarl_process *snarl_parent_process(void);
/* This process's children that have not ended; at most `room` into `processes`. How many there are. */
int snarl_active_children(snarl_process **processes, int room);
/* How many processors the system has. */
int snarl_cpu_count(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
