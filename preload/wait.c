/* SPDX-License-Identifier: MIT
 *
 * Waiting for child processes: all forms are cancellation points. A form that does not block leaves a record only if it
 * returned a child. Entered by any thread; wait and waitpid also by signal handlers.
 */
#include "wrapper.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

struct wait {
  struct snarli_cancellable call; /* its object is the awaited process, 0: any of several */
  unsigned flags;
};

static void wait_cancelled(struct wait *wait) { snarli_cancelled(&wait->call); }

static inline void wait_begin(struct wait *wait) {
  if (wait->flags & SNARLI_F_TRY)
    return;
  snarli_record_aux(SNARLI_R_WAIT_REQUESTED, wait->flags, wait->call.object, wait->call.stack);
  wait->call.type = SNARLI_R_WAIT_FAILED;
}

/* `pid`: the child that was returned, 0 or -1 if none was. */
static inline void wait_end(struct wait *wait, pid_t pid, bool has_ended) {
  wait->call.type = 0;
  if (pid > 0)
    snarli_record_aux(SNARLI_R_WAIT_RETURNED, wait->flags | (has_ended ? SNARLI_F_ENDED : 0), (uint64_t)pid,
                      wait->call.stack);
  else if (!(wait->flags & SNARLI_F_TRY))
    snarli_record_aux(SNARLI_R_WAIT_FAILED, pid < 0 ? (unsigned)errno : 0, wait->call.object, wait->call.stack);
}

/* `status` is only set if a child was returned. */
static inline bool is_end(pid_t child, const int *status) {
  return child > 0 && (WIFEXITED(*status) || WIFSIGNALED(*status));
}

/* The program may not ask for the status, but we do. */
#define WAIT(pid, options)                                                                                             \
  int own_status = 0;                                                                                                  \
  int *at = status ? status : &own_status;                                                                             \
  __attribute__((cleanup(wait_cancelled))) struct wait state = {{0, (pid) > 0 ? (uint64_t)(pid) : 0, SNARLI_STACK},    \
                                                                (options)&WNOHANG ? SNARLI_F_TRY : 0};                 \
  wait_begin(&state)

SNARLI_EXPORT pid_t wait(int *status) {
  if (!snarli_is_recording())
    return snarli_real()->wait(status);
  WAIT(0, 0);
  pid_t result = snarli_real()->wait(at);
  wait_end(&state, result, is_end(result, at));
  return result;
}

SNARLI_EXPORT pid_t waitpid(pid_t pid, int *status, int options) {
  if (!snarli_is_recording())
    return snarli_real()->waitpid(pid, status, options);
  WAIT(pid, options);
  pid_t result = snarli_real()->waitpid(pid, at, options);
  wait_end(&state, result, is_end(result, at));
  return result;
}

SNARLI_EXPORT pid_t wait3(int *status, int options, struct rusage *usage) {
  if (!snarli_is_recording())
    return snarli_real()->wait3(status, options, usage);
  WAIT(0, options);
  pid_t result = snarli_real()->wait3(at, options, usage);
  wait_end(&state, result, is_end(result, at));
  return result;
}

SNARLI_EXPORT pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
  if (!snarli_is_recording())
    return snarli_real()->wait4(pid, status, options, usage);
  WAIT(pid, options);
  pid_t result = snarli_real()->wait4(pid, at, options, usage);
  wait_end(&state, result, is_end(result, at));
  return result;
}

/* The process that a descriptor of pidfd_open stands for, as the kernel shows it; 0: it is gone, or none. */
pid_t snarli_process_of_descriptor(int fd) {
  char path[48] = "/proc/self/fdinfo/", text[512], digits[12], *end = digits + sizeof digits;
  int saved = errno;
  *--end = 0;
  for (unsigned left = (unsigned)fd;; left /= 10) {
    *--end = (char)('0' + left % 10);
    if (left < 10)
      break;
  }
  strcat(path, end);
  int info = fd < 0 ? -1 : (int)snarli_real()->syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  long size = info < 0 ? 0 : snarli_real()->syscall(SYS_read, info, text, sizeof text - 1);
  if (info >= 0)
    (void)snarli_real()->syscall(SYS_close, info);
  errno = saved;
  text[size > 0 ? size : 0] = 0;
  const char *at = strstr(text, "\nPid:");
  pid_t pid = 0;
  for (at = at ? at + 5 + strspn(at + 5, " \t") : ""; *at >= '0' && *at <= '9'; at++)
    pid = pid * 10 + (*at - '0');
  return pid;
}

static inline bool is_end_code(int code) { return code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED; }

static uint64_t awaited(idtype_t type, id_t id) {
  if (type == P_PIDFD)
    return (uint64_t)snarli_process_of_descriptor((int)id);
  return type == P_PID ? id : 0;
}

SNARLI_EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options) {
  if (!snarli_is_recording())
    return snarli_real()->waitid(type, id, info, options);
  siginfo_t own = {0};
  siginfo_t *at = info ? info : &own;
  __attribute__((cleanup(wait_cancelled))) struct wait state = {{0, awaited(type, id), SNARLI_STACK},
                                                                options & WNOHANG ? SNARLI_F_TRY : 0};
  wait_begin(&state);
  int result = snarli_real()->waitid(type, id, at, options);
  wait_end(&state, result ? -1 : at->si_pid, !result && is_end_code(at->si_code));
  return result;
}

/* The child is libc's, and so is the wait for it: its pid is not told. */
SNARLI_EXPORT int system(const char *command) {
  if (!command || !snarli_is_recording())
    return snarli_real()->system(command);
  SNARLI_CANCELLABLE call = {SNARLI_R_WAIT_FAILED, 0, SNARLI_STACK};
  snarli_record_aux(SNARLI_R_FORK_REQUESTED, SNARLI_F_SPAWN, 0, call.stack);
  snarli_record_aux(SNARLI_R_WAIT_REQUESTED, SNARLI_F_SPAWN, 0, call.stack);
  int result = snarli_real()->system(command);
  call.type = 0;
  snarli_record_aux(SNARLI_R_WAIT_RETURNED, SNARLI_F_SPAWN | SNARLI_F_ENDED, 0, call.stack);
  return result;
}
