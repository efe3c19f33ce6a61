/* SPDX-License-Identifier: MIT
 *
 * Signal handlers and masks. What handlers do is recorded like everything else; that there is one tells the analyzer
 * that a wait may be ended by it, and what a thread blocks when it could interrupt. Handlers are not wrapped: a stack
 * that was walked in one says so. Entered by any thread and by signal handlers.
 */
#include "wrapper.h"
#include <string.h>

static void installed(int signal, sighandler_t handler, uint32_t stack) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_SIGNAL_HANDLER, (unsigned)signal, (uint64_t)(uintptr_t)handler, stack);
}

SNARLI_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  sighandler_t handler = action ? action->sa_handler : SIG_DFL; /* before the call: `old` may be the same */
  bool is_childless = signal == SIGCHLD && action && action->sa_flags & SA_NOCLDWAIT;
  int result = snarli_real()->sigaction(signal, action, old);
  if (!result && is_childless)
    installed(signal, SIG_IGN, 0);
  if (!result && action)
    installed(signal, handler, SNARLI_STACK_IF_RECORDING);
  return result;
}

SNARLI_EXPORT sighandler_t signal(int signal, sighandler_t handler) {
  sighandler_t old = snarli_real()->signal(signal, handler);
  if (old != SIG_ERR)
    installed(signal, handler, SNARLI_STACK_IF_RECORDING);
  return old;
}

/* What `signal` is in strict System V programs. */
SNARLI_EXPORT sighandler_t __sysv_signal(int signal, sighandler_t handler) {
  sighandler_t old = snarli_real()->__sysv_signal(signal, handler);
  if (old != SIG_ERR)
    installed(signal, handler, SNARLI_STACK_IF_RECORDING);
  return old;
}

/* The first 64 signals, as the kernel has them. */
static uint64_t bits_of(const sigset_t *set) {
  uint64_t bits;
  memcpy(&bits, set, sizeof bits);
  return bits;
}

static uint64_t mask_after(int how, uint64_t set, uint64_t before) {
  const uint64_t never = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1), recorded = (1ull << 48) - 1;
  uint64_t after = how == SIG_BLOCK ? before | set : how == SIG_UNBLOCK ? before & ~set : set;
  return after & ~never & recorded;
}

typedef int (*mask_function)(int, const sigset_t *, sigset_t *);

/* Signals that are unblocked come during the call, before the record: what their handlers do is told by its stack. */
static int mask(mask_function real, int how, const sigset_t *set, sigset_t *old, uint32_t stack) {
  sigset_t own;
  sigset_t *before = old ? old : &own;
  uint64_t wanted = bits_of(set); /* before the call: `old` may be the same */
  int result = real(how, set, before);
  if (result == 0 && mask_after(how, wanted, bits_of(before)) != mask_after(SIG_BLOCK, 0, bits_of(before)))
    snarli_record_aux(SNARLI_R_SIGNAL_MASK, 0, mask_after(how, wanted, bits_of(before)), stack);
  return result;
}

/* libunwind asks for it several times a frame. The recorder has blocked all signals then, and blocks them until the end
 * of the walk: there is nothing to do. */
SNARLI_EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
  if (snarli_is_walking())
    return 0;
  if (!set || !snarli_is_recording())
    return snarli_real()->sigprocmask(how, set, old);
  return mask(snarli_real()->sigprocmask, how, set, old, SNARLI_STACK);
}

SNARLI_EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  if (!set || !snarli_is_recording())
    return snarli_real()->pthread_sigmask(how, set, old);
  return mask(snarli_real()->pthread_sigmask, how, set, old, SNARLI_STACK);
}

/* A thread that libc makes, unseen, calls the function: like a handler, it may end a wait at any time. */
static void thread_notified(const struct sigevent *event, uint32_t stack) {
  if (event && event->sigev_notify == SIGEV_THREAD && snarli_is_recording())
    snarli_record_aux(SNARLI_R_SIGNAL_HANDLER, SNARLI_SIGNAL_NONE, (uint64_t)(uintptr_t)event->sigev_notify_function,
                      stack);
}

SNARLI_EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->timer_create(clock, event, timer);
  if (result == 0)
    thread_notified(event, stack);
  return result;
}

SNARLI_EXPORT int mq_notify(mqd_t queue, const struct sigevent *event) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->mq_notify(queue, event);
  if (result == 0)
    thread_notified(event, stack);
  return result;
}
