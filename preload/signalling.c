/* SPDX-License-Identifier: MIT
 *
 * Sending signals and waiting for them. A wait for a set is tried first, with no time to wait, so one that need not
 * block costs one record; all waits are cancellation points. Entered by any thread; the sends, pause and sigsuspend
 * also by signal handlers.
 */
#include "wrapper.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

/* A send to a process or a thread, 0: to several or unknown. Signal 0 asks whether it is there. */
struct send {
  enum snarli_record_type type;
  int signal;
  uint64_t target;
  uint32_t stack;
};

static void send_begin(const struct send *send) {
  if (send->signal)
    snarli_record_aux(send->type, (unsigned)send->signal, send->target, send->stack);
}

static int send_end(const struct send *send, int result, int error) {
  if (error && send->signal)
    snarli_record_aux(SNARLI_R_SIGNAL_FAILED, (unsigned)error, 0, send->stack);
  return result;
}

static uint64_t one_process(pid_t pid) { return pid > 0 ? (uint64_t)pid : 0; }

#define SEND_TO_PROCESS(pid, signal, call)                                                                             \
  if (!snarli_is_recording())                                                                                          \
    return call;                                                                                                       \
  struct send send = {SNARLI_R_SIGNAL_SENT, signal, one_process(pid), SNARLI_STACK};                                   \
  send_begin(&send);                                                                                                   \
  int result = call;                                                                                                   \
  return send_end(&send, result, result ? errno : 0)

SNARLI_EXPORT int kill(pid_t pid, int signal) { SEND_TO_PROCESS(pid, signal, snarli_real()->kill(pid, signal)); }

SNARLI_EXPORT int sigqueue(pid_t pid, int signal, const union sigval value) {
  SEND_TO_PROCESS(pid, signal, snarli_real()->sigqueue(pid, signal, value));
}

SNARLI_EXPORT int tgkill(pid_t pid, pid_t tid, int signal) {
  SEND_TO_PROCESS(pid, signal, snarli_real()->tgkill(pid, tid, signal));
}

SNARLI_EXPORT int killpg(pid_t group, int signal) { SEND_TO_PROCESS(0, signal, snarli_real()->killpg(group, signal)); }

SNARLI_EXPORT int pidfd_send_signal(int fd, int signal, siginfo_t *info, unsigned flags) {
  SEND_TO_PROCESS(snarli_is_recording() ? snarli_process_of_descriptor(fd) : 0, signal,
                  snarli_real()->pidfd_send_signal(fd, signal, info, flags));
}

#define SEND_TO_THREAD(thread, signal, call, error_of)                                                                 \
  if (!snarli_is_recording())                                                                                          \
    return call;                                                                                                       \
  struct send send = {SNARLI_R_THREAD_SIGNALLED, signal, (uint64_t)(thread), SNARLI_STACK};                            \
  send_begin(&send);                                                                                                   \
  int result = call;                                                                                                   \
  return send_end(&send, result, error_of(result))

SNARLI_EXPORT int pthread_kill(pthread_t thread, int signal) {
  SEND_TO_THREAD(thread, signal, snarli_real()->pthread_kill(thread, signal), SNARLI_ERROR_CODE);
}

SNARLI_EXPORT int pthread_sigqueue(pthread_t thread, int signal, const union sigval value) {
  SEND_TO_THREAD(thread, signal, snarli_real()->pthread_sigqueue(thread, signal, value), SNARLI_ERROR_CODE);
}

SNARLI_EXPORT int raise(int signal) {
  SEND_TO_THREAD(pthread_self(), signal, snarli_real()->raise(signal), SNARLI_ERROR_ERRNO);
}

/* The end, unless a handler leaves it. */
SNARLI_EXPORT void abort(void) {
  struct sigaction action;
  if (snarli_is_recording()) {
    uint32_t stack = SNARLI_STACK;
    snarli_record_aux(SNARLI_R_THREAD_SIGNALLED, SIGABRT, (uint64_t)pthread_self(), stack);
    if (snarli_real()->sigaction(SIGABRT, NULL, &action) == 0 &&
        (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)) {
      snarli_record_aux(SNARLI_R_PROCESS_EXIT, 0, 128 + SIGABRT, stack);
      snarli_process_end(128 + SIGABRT);
    }
  }
  snarli_real()->abort();
  __builtin_unreachable();
}

/* Waits. The object is the set: a bit for each of the first 47, the 48th for any other. */

static uint64_t bits_of(const sigset_t *set) {
  uint64_t bits, low = (1ull << 47) - 1;
  memcpy(&bits, set, sizeof bits);
  return (bits & low) | (bits & ~low ? low + 1 : 0);
}

static void returned(int signal, const siginfo_t *info, uint32_t stack) {
  bool has_sender = info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
  snarli_record_aux(SNARLI_R_SIGNAL_WAIT_RETURNED, (unsigned)signal, has_sender ? one_process(info->si_pid) : 0, stack);
}

/* One of the set; -1 and errno. `again`: as sigwait, which is never interrupted. */
static int wait_for_one(const sigset_t *set, siginfo_t *info, bool again, uint32_t stack) {
  static const struct timespec no_time = {0, 0};
  SNARLI_CANCELLABLE call = {0, bits_of(set), stack};
  int saved = errno;
  int signal = snarli_real()->sigtimedwait(set, info, &no_time);
  if (signal < 0 && errno == EAGAIN) {
    errno = saved;
    snarli_record_aux(SNARLI_R_SIGNAL_WAIT_REQUESTED, 0, call.object, stack);
    call.type = SNARLI_R_SIGNAL_FAILED;
    do
      signal = snarli_real()->sigtimedwait(set, info, NULL);
    while (signal < 0 && errno == EINTR && again);
    call.type = 0;
  }
  if (signal >= 0)
    returned(signal, info, stack);
  else
    snarli_record_aux(SNARLI_R_SIGNAL_FAILED, (unsigned)errno, call.object, stack);
  return signal;
}

SNARLI_EXPORT int sigwait(const sigset_t *set, int *signal) {
  if (!snarli_is_recording())
    return snarli_real()->sigwait(set, signal);
  siginfo_t info;
  int saved = errno, got = wait_for_one(set, &info, true, SNARLI_STACK);
  if (got < 0)
    return errno;
  errno = saved;
  *signal = got;
  return 0;
}

SNARLI_EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info) {
  if (!snarli_is_recording())
    return snarli_real()->sigwaitinfo(set, info);
  siginfo_t own;
  return wait_for_one(set, info ? info : &own, false, SNARLI_STACK);
}

SNARLI_EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->sigtimedwait(set, info, end);
  siginfo_t own, *at = info ? info : &own;
  if (!end)
    return wait_for_one(set, at, false, SNARLI_STACK);
  SNARLI_CANCELLABLE call = {SNARLI_R_SIGNAL_FAILED, bits_of(set), SNARLI_STACK};
  snarli_record_aux(SNARLI_R_SIGNAL_WAIT_REQUESTED, SNARLI_F_TIMED, call.object, call.stack);
  int signal = snarli_real()->sigtimedwait(set, at, end);
  call.type = 0;
  if (signal >= 0)
    returned(signal, at, call.stack);
  else
    snarli_record_aux(SNARLI_R_SIGNAL_FAILED, (unsigned)errno, call.object, call.stack);
  return signal;
}

/* Both come back, with EINTR, when a handler has run: object 0. */
SNARLI_EXPORT int pause(void) {
  if (!snarli_is_recording())
    return snarli_real()->pause();
  SNARLI_CANCELLABLE call = {SNARLI_R_SIGNAL_FAILED, 0, SNARLI_STACK};
  snarli_record_aux(SNARLI_R_SIGNAL_WAIT_REQUESTED, 0, 0, call.stack);
  int result = snarli_real()->pause();
  call.type = 0;
  snarli_record_aux(SNARLI_R_SIGNAL_WAIT_RETURNED, 0, 0, call.stack);
  return result;
}

SNARLI_EXPORT int sigsuspend(const sigset_t *set) {
  if (!snarli_is_recording())
    return snarli_real()->sigsuspend(set);
  SNARLI_CANCELLABLE call = {SNARLI_R_SIGNAL_FAILED, 0, SNARLI_STACK};
  snarli_record_aux(SNARLI_R_SIGNAL_WAIT_REQUESTED, 0, 0, call.stack);
  int result = snarli_real()->sigsuspend(set);
  call.type = 0;
  if (errno == EINTR)
    snarli_record_aux(SNARLI_R_SIGNAL_WAIT_RETURNED, 0, 0, call.stack);
  else
    snarli_record_aux(SNARLI_R_SIGNAL_FAILED, (unsigned)errno, 0, call.stack);
  return result;
}
