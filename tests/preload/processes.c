/* SPDX-License-Identifier: MIT
 *
 * What fork, vfork, exec, posix_spawn and the waits return, what memory and environment the children see. Prints it;
 * compare.sh runs this with and without the shim. `processes show` prints what it was given and ends.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 77;                                                                                                        \
    long value = (long)(call);                                                                                         \
    int after = errno;                                                                                                 \
    printf("%d %s -> %ld, errno %d\n", __LINE__, #call, value, after);                                                 \
    fflush(stdout);                                                                                                    \
  } while (0)

static const char *self;

/* Only what the program itself passes: the shim's own additions are what must not matter. */
static int show(int argc, char **argv) {
  for (int i = 0; i < argc; i++)
    printf("  argument %d: %s\n", i, i ? argv[i] : "");
  for (char **at = environ; *at; at++)
    if (strncmp(*at, "SNARL_TRACE=", 12) != 0 && strncmp(*at, "LD_PRELOAD=", 11) != 0 && strncmp(*at, "T_", 2) == 0)
      printf("  %s\n", *at);
  return 42;
}

static int ended(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static char *const arguments[] = {"processes", "show", "a b", "", NULL};
static char *const few[] = {"T_A=1", "T_B=", NULL};

static void execs(void) {
#define EXEC(call)                                                                                                     \
  do {                                                                                                                 \
    printf("%s\n", #call);                                                                                             \
    fflush(stdout);                                                                                                    \
    pid_t pid = fork();                                                                                                \
    if (pid == 0) {                                                                                                    \
      call;                                                                                                            \
      _exit(99);                                                                                                       \
    }                                                                                                                  \
    printf("  ended with %d\n", ended(pid));                                                                           \
    fflush(stdout);                                                                                                    \
  } while (0)
  setenv("T_OWN", "own", 1);
  EXEC(execve(self, arguments, few));
  EXEC(execv(self, arguments));
  EXEC(execvp(self, arguments));
  EXEC(execvpe(self, arguments, few));
  EXEC(execl(self, "processes", "show", (char *)NULL));
  EXEC(execlp(self, "processes", "show", "1", "2", "3", "4", "5", "6", "7", (char *)NULL));
  EXEC(execle(self, "processes", "show", "1", (char *)NULL, few));
  EXEC(fexecve(open(self, O_RDONLY), arguments, few));
  EXEC(execveat(AT_FDCWD, self, arguments, few, 0));
  SHOW(execve("/nowhere", arguments, few));
  SHOW(execvp("no such program", arguments));
  SHOW(execl("/", "processes", (char *)NULL));
  SHOW(fexecve(-1, arguments, few));
}

/* More variables than the wrapper's own frame has room for. */
static void large_environment(void) {
  enum { COUNT = 3000 };
  static char texts[COUNT][16], *variables[COUNT + 1];
  for (int i = 0; i < COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "X_%d=x", i);
    variables[i] = texts[i];
  }
  variables[0] = "T_LARGE=1";
  variables[COUNT - 1] = "T_LAST=1";
  for (volatile int i = 0; i < 3; i++) {
    pid_t pid = vfork();
    if (pid == 0) {
      execve(self, arguments, variables);
      _exit(99);
    }
    SHOW(ended(pid));
  }
  pid_t pid = 0;
  SHOW(posix_spawn(&pid, self, NULL, NULL, arguments, variables) ? -1 : ended(pid));
}

static void spawns(void) {
  pid_t pid = 5;
  SHOW(posix_spawn(&pid, "/nowhere", NULL, NULL, arguments, few));
  SHOW(pid);
  SHOW(posix_spawn(&pid, self, NULL, NULL, arguments, few) ? -1 : ended(pid));
  SHOW(posix_spawnp(&pid, "true", NULL, NULL, arguments, environ) ? -1 : ended(pid));
  SHOW(posix_spawn(NULL, self, NULL, NULL, arguments, few) ? -1 : wait(NULL) > 0);
}

/* The child of a vfork uses its parent's stack deeply, after its wrapper has returned, and may change its memory. */
static __attribute__((noinline)) int deep(int depth) {
  volatile char filler[256];
  memset((char *)filler, 0x55, sizeof filler);
  return depth ? deep(depth - 1) + filler[depth & 255] : filler[0];
}

static void vforks(void) {
  volatile int shared = 0;
  for (volatile int i = 0; i < 3; i++) {
    pid_t pid = vfork();
    if (pid == 0) {
      shared += deep(64) != 0;
      pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
      pthread_mutex_lock(&mutex);
      pthread_mutex_unlock(&mutex);
      _exit(i);
    }
    SHOW(ended(pid));
  }
  SHOW(shared);
  pid_t pid = vfork();
  if (pid == 0) {
    execve("/nowhere", arguments, few);
    _exit(errno == ENOENT ? 3 : 4);
  }
  SHOW(ended(pid));
}

static void *fork_in_thread(void *unused) {
  pid_t pid = fork();
  if (pid == 0) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    exit(pthread_mutex_lock(&mutex) + 21);
  }
  SHOW(ended(pid));
  return unused;
}

static void waits(void) {
  int status = 77;
  siginfo_t info;
  SHOW(wait(&status));
  SHOW(waitpid(-1, &status, WNOHANG));
  SHOW(waitpid(1, NULL, 0));
  SHOW(waitid(P_ALL, 0, &info, WEXITED));
  SHOW(waitid(P_ALL, 0, &info, 0));
  SHOW(status);
  pid_t pid = fork();
  if (pid == 0)
    for (;;)
      pause();
  SHOW(waitpid(pid, &status, WNOHANG));
  SHOW(wait3(NULL, WNOHANG, NULL));
  memset(&info, 0x55, sizeof info);
  SHOW(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG));
  SHOW(info.si_pid);
  kill(pid, SIGSTOP);
  SHOW(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
  kill(pid, SIGKILL);
  SHOW(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  SHOW(info.si_code);
  SHOW(wait4(pid, &status, 0, NULL) == pid);
  SHOW(status);
}

/* Made past fork: with memory of their own, and with their parent's. */
static int use_a_lock(void *unused) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  return (unused != NULL) + pthread_mutex_lock(&mutex) + pthread_mutex_unlock(&mutex) + 6;
}
static void raw(void) {
  static _Alignas(16) char stack[1 << 16];
  SHOW(ended(clone(use_a_lock, stack + sizeof stack, SIGCHLD, NULL)));
  SHOW(ended(clone(use_a_lock, stack + sizeof stack, SIGCHLD | CLONE_VM | CLONE_VFORK, NULL)));
  SHOW(ended(clone(use_a_lock, stack + sizeof stack, SIGCHLD | CLONE_VM, NULL)));
  pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    _exit(use_a_lock(NULL));
  SHOW(ended(pid));
}

static void shells(void) {
  SHOW(system(NULL));
  SHOW(system("exit 7"));
  SHOW(system("kill -9 $$"));
  SHOW(system("no such command 2>/dev/null"));
  SHOW(waitpid(-1, NULL, WNOHANG));
  FILE *stream = popen("exit 5", "r");
  SHOW(stream && getc(stream) == EOF);
  SHOW(pclose(stream));
  SHOW(popen("true", "bad") == NULL);
}

static void exits(void) {
  for (int kind = 0; kind < 5; kind++) {
    pid_t pid = fork();
    if (pid == 0) {
      if (kind == 0)
        exit(30);
      if (kind == 1)
        _exit(31 + 256);
      if (kind == 2)
        _Exit(32);
      if (kind == 3)
        quick_exit(33);
      pthread_exit(NULL);
    }
    SHOW(ended(pid));
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "show") == 0)
    return show(argc, argv);
  self = argv[0];
  execs();
  large_environment();
  spawns();
  vforks();
  pthread_t thread;
  if (pthread_create(&thread, NULL, fork_in_thread, NULL) == 0)
    pthread_join(thread, NULL);
  waits();
  pid_t pid = _Fork();
  if (pid == 0)
    _exit(12);
  SHOW(ended(pid));
  exits();
  shells();
  raw();
  return 0;
}
