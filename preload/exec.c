/* SPDX-License-Identifier: MIT
 *
 * The exec family: the image ends, and the next one is recorded into the same trace. All are safe in signal handlers
 * and in the child of a vfork, where nothing is recorded but the environment is carried on.
 */
#include "environment.h"
#include "files.h"
#include "wrapper.h"
#include <stdarg.h>

struct exec {
  uint32_t stack;
  bool is_recorded;
  char *const *variables; /* what to pass instead of the caller's */
  struct snarli_environment environment;
};

static void exec_begin(struct exec *exec, char *const envp[], uint32_t stack) {
  exec->stack = stack;
  exec->is_recorded = snarli_is_recording();
  exec->variables = snarli_environment_make(&exec->environment, envp);
  if (!exec->is_recorded)
    return;
  snarli_files_executing(stack);
  snarli_record_aux(SNARLI_R_EXEC_REQUESTED, 0, 0, stack);
  snarli_process_end(0);
}

/* Only a failed exec comes back. */
static int exec_failed(struct exec *exec) {
  int error = errno;
  if (exec->is_recorded) {
    snarli_process_end(-1);
    snarli_record_aux(SNARLI_R_EXEC_FAILED, (unsigned)error, 0, exec->stack);
  }
  snarli_environment_drop(&exec->environment);
  errno = error;
  return -1;
}

static int exec_path(const char *path, char *const argv[], char *const envp[], uint32_t stack) {
  struct exec exec;
  exec_begin(&exec, envp, stack);
  (void)snarli_real()->execve(path, argv, exec.variables);
  return exec_failed(&exec);
}

static int exec_file(const char *file, char *const argv[], char *const envp[], uint32_t stack) {
  struct exec exec;
  exec_begin(&exec, envp, stack);
  (void)snarli_real()->execvpe(file, argv, exec.variables);
  return exec_failed(&exec);
}

SNARLI_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) {
  return exec_path(path, argv, envp, SNARLI_STACK_IF_RECORDING);
}

SNARLI_EXPORT int execv(const char *path, char *const argv[]) {
  return exec_path(path, argv, environ, SNARLI_STACK_IF_RECORDING);
}

SNARLI_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) {
  return exec_file(file, argv, envp, SNARLI_STACK_IF_RECORDING);
}

SNARLI_EXPORT int execvp(const char *file, char *const argv[]) {
  return exec_file(file, argv, environ, SNARLI_STACK_IF_RECORDING);
}

SNARLI_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) {
  struct exec exec;
  exec_begin(&exec, envp, SNARLI_STACK_IF_RECORDING);
  (void)snarli_real()->fexecve(fd, argv, exec.variables);
  return exec_failed(&exec);
}

SNARLI_EXPORT int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags) {
  struct exec exec;
  exec_begin(&exec, envp, SNARLI_STACK_IF_RECORDING);
  (void)snarli_real()->execveat(fd, path, argv, exec.variables, flags);
  return exec_failed(&exec);
}

/* How many pointers an argument list holds, its final NULL included. */
static size_t list_length(const char *first, va_list *list) {
  va_list copy;
  va_copy(copy, *list);
  size_t length = 1;
  for (const char *at = first; at; at = va_arg(copy, const char *))
    length++;
  va_end(copy);
  return length;
}

static void list_collect(char **argv, const char *first, va_list *list) {
  size_t count = 0;
  for (const char *at = first; at; at = va_arg(*list, const char *))
    argv[count++] = (char *)(uintptr_t)at;
  argv[count] = NULL;
}

SNARLI_EXPORT int execl(const char *path, const char *first, ...) {
  va_list list;
  va_start(list, first);
  char *argv[list_length(first, &list)];
  list_collect(argv, first, &list);
  va_end(list);
  return exec_path(path, argv, environ, SNARLI_STACK_IF_RECORDING);
}

SNARLI_EXPORT int execlp(const char *file, const char *first, ...) {
  va_list list;
  va_start(list, first);
  char *argv[list_length(first, &list)];
  list_collect(argv, first, &list);
  va_end(list);
  return exec_file(file, argv, environ, SNARLI_STACK_IF_RECORDING);
}

SNARLI_EXPORT int execle(const char *path, const char *first, ...) {
  va_list list;
  va_start(list, first);
  char *argv[list_length(first, &list)];
  list_collect(argv, first, &list);
  char *const *envp = va_arg(list, char *const *);
  va_end(list);
  return exec_path(path, argv, envp, SNARLI_STACK_IF_RECORDING);
}
