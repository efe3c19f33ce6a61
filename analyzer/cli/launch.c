/* SPDX-License-Identifier: MIT
 *
 * Starts a program with the recorder in it and lives beside it as a shell would: same process group, terminal, streams.
 * The terminal's signals reach the program without us; those that a process sends to us alone are passed on by the
 * handler below, which runs in the main thread and only calls kill.
 */
#include "launch.h"

#include "complain.h"
#include "libdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t program_pid; /* written before the handlers are installed */

static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT};
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)context;
  int kept = errno;
  /* The kernel's own (^C, a resized window) go to the whole foreground group, and so to the program already. */
  bool is_from_process = info->si_code <= 0 && info->si_pid != program_pid;
  if (is_from_process)
    kill(program_pid, signal);
  if (signal == SIGTSTP)
    raise(SIGSTOP);
  errno = kept;
}

static void install_handlers(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  for (size_t i = 0; i < PASSED_ON; i++) {
    struct sigaction now;
    if (sigaction(passed_on[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
      sigaction(passed_on[i], &action, NULL); /* what nohup ignores stays ignored */
  }
  signal(SIGPIPE, SIG_IGN); /* a report that nobody reads must not change how we end */
}

static bool is_ours(const char *variable) {
  return strncmp(variable, "SNARL_TRACE=", 12) == 0 || strncmp(variable, "LD_PRELOAD=", 11) == 0;
}

/* The environment with the recorder in it; the new strings are *trace_variable and *preload_variable. */
static char **make_environment(const char *trace, const char *preload) {
  size_t count = 0, kept = 0;
  while (environ[count])
    count++;
  char **variables = calloc(count + 3, sizeof *variables);
  const char *before = getenv("LD_PRELOAD");
  char *own[2] = {NULL, NULL};
  if (asprintf(&own[0], "SNARL_TRACE=%s", trace) < 0 ||
      asprintf(&own[1], "LD_PRELOAD=%s%s%s", preload, before && *before ? ":" : "", before ? before : "") < 0 ||
      !variables) {
    free(own[0]);
    free(variables);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    if (!is_ours(environ[i]))
      variables[kept++] = environ[i];
  variables[kept] = own[0];
  variables[kept + 1] = own[1];
  return variables;
}

static void free_environment(char **variables) {
  if (!variables)
    return;
  for (size_t i = 0; variables[i]; i++)
    if (!variables[i + 1] || !variables[i + 2])
      free(variables[i]); /* the last two are ours */
  free(variables);
}

struct start {
  const struct program *program;
  char **arguments, **environment;
  sigset_t mask;               /* as we found it */
  struct sigaction child_died; /* as we found it */
};

/* In the child: becomes the program, or returns errno. */
static int become(const struct start *start) {
  sigaction(SIGCHLD, &start->child_died, NULL);
  sigprocmask(SIG_SETMASK, &start->mask, NULL);
  if (!start->program->is_script) {
    execve(start->program->path, start->arguments, start->environment);
    return errno;
  }
  size_t count = 0;
  while (start->arguments[count])
    count++;
  char **arguments = calloc(count + 2, sizeof *arguments);
  if (!arguments)
    return ENOMEM;
  arguments[0] = "sh";
  arguments[1] = start->program->path;
  memcpy(arguments + 2, start->arguments + 1, count * sizeof *arguments);
  execve("/bin/sh", arguments, start->environment);
  return errno;
}

/* Forks; 0 once the program runs, else errno. The pipe closes by itself when exec succeeds. */
static int fork_program(const struct start *start, pid_t *pid) {
  int pipes[2], error = 0;
  if (pipe2(pipes, O_CLOEXEC) != 0)
    return errno;
  *pid = fork();
  if (*pid == 0) {
    error = become(start);
    ssize_t written = write(pipes[1], &error, sizeof error);
    _exit(written == sizeof error ? 127 : 126);
  }
  if (*pid < 0)
    error = errno;
  close(pipes[1]);
  if (*pid > 0) {
    ssize_t size;
    do
      size = read(pipes[0], &error, sizeof error);
    while (size < 0 && errno == EINTR);
    if (size == sizeof error)
      waitpid(*pid, NULL, 0);
    else
      error = 0;
  }
  close(pipes[0]);
  return error;
}

static enum exit_status start_with(struct launch *launch, struct start *start) {
  sigset_t all;
  struct sigaction by_default = {.sa_handler = SIG_DFL};
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &start->mask); /* no signal is lost between the fork and the handlers */
  sigaction(SIGCHLD, &by_default, &start->child_died);
  int error = fork_program(start, &launch->pid);
  if (error == 0) {
    program_pid = launch->pid;
    install_handlers();
  }
  sigset_t now = start->mask;
  sigaddset(&now, SIGCHLD); /* taken by launch_wait */
  for (size_t i = 0; i < PASSED_ON; i++)
    sigdelset(&now, passed_on[i]);
  sigprocmask(SIG_SETMASK, &now, NULL);
  if (error == 0)
    return EXIT_OK;
  complain("cannot run %s: %s", start->arguments[0], strerror(error));
  return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

enum exit_status launch_start(struct launch *launch, const struct program *program, char **arguments,
                              const char *trace) {
  *launch = (struct launch){0};
  char *preload = NULL;
  enum exit_status status = libdir_find(&preload, &launch->alias);
  if (status != EXIT_OK)
    return status;
  struct start start = {.program = program, .arguments = arguments, .environment = make_environment(trace, preload)};
  free(preload);
  if (start.environment)
    status = start_with(launch, &start);
  else {
    complain("out of memory");
    status = EXIT_FAILED;
  }
  free_environment(start.environment);
  if (status != EXIT_OK)
    launch_end(launch);
  return status;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Collects every child that has ended (orphans may have become ours); true if the program was among them. */
static bool reap(const struct launch *launch, int *status) {
  bool has_ended = false;
  int ended;
  for (pid_t pid; (pid = waitpid(-1, &ended, WNOHANG)) > 0;)
    if (pid == launch->pid) {
      *status = ended;
      has_ended = true;
    }
  return has_ended;
}

bool launch_wait(struct launch *launch, unsigned milliseconds, int *status) {
  uint64_t end = now_ms() + milliseconds;
  sigset_t child_died;
  sigemptyset(&child_died);
  sigaddset(&child_died, SIGCHLD);
  for (;;) {
    if (reap(launch, status))
      return true;
    uint64_t now = now_ms();
    if (now >= end)
      return false;
    struct timespec left = {(time_t)((end - now) / 1000), (long)((end - now) % 1000) * 1000000};
    sigtimedwait(&child_died, NULL, &left);
  }
}

void launch_end(struct launch *launch) {
  libdir_forget(launch->alias);
  launch->alias = NULL;
}

int launch_exit_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

int launch_die_alike(int status) {
  if (!WIFSIGNALED(status))
    return WEXITSTATUS(status);
  struct rlimit none = {0, 0};
  sigset_t mask;
  fflush(NULL);
  setrlimit(RLIMIT_CORE, &none); /* the program's core is the one that is wanted */
  signal(WTERMSIG(status), SIG_DFL);
  sigemptyset(&mask);
  sigaddset(&mask, WTERMSIG(status));
  sigprocmask(SIG_UNBLOCK, &mask, NULL);
  raise(WTERMSIG(status));
  return launch_exit_status(status);
}
