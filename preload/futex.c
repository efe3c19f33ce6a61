/* SPDX-License-Identifier: MIT
 *
 * syscall(), by which locks that bypass the C library (GLib's, Rust's, std::atomic's) wait on futexes, and by which
 * descriptors may be closed. All other calls go on untouched: some return twice, or on another stack, so nothing of
 * ours may lie on it. Entered by any thread and by signal handlers.
 */
#include "descriptors.h"
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* The arguments as the kernel knows them. */
#define ARGUMENTS long number, long a, long b, long c, long d, long e, long f
#define VALUES number, a, b, c, d, e, f
typedef long (*syscall_function)(ARGUMENTS);

static long call_real(ARGUMENTS) { return ((syscall_function)snarli_real()->syscall)(VALUES); }

static bool is_wait(long operation) {
  switch (operation & FUTEX_CMD_MASK) {
  case FUTEX_WAIT:
  case FUTEX_WAIT_BITSET:
  case FUTEX_WAIT_REQUEUE_PI:
  case FUTEX_LOCK_PI:
  case 13: /* FUTEX_LOCK_PI2, which older headers lack */
    return true;
  default:
    return false;
  }
}

/* The first of the futexes that a futex_waitv waits for stands for all. */
static const void *awaited(ARGUMENTS) {
  (void)c, (void)d, (void)e, (void)f;
  if (number == SYS_futex)
    return is_wait(b) ? (const void *)a : NULL;
  const struct {
    uint64_t value, address;
    uint32_t flags, reserved;
  } *waiters = (const void *)a;
  return waiters && b > 0 ? (const void *)(uintptr_t)waiters->address : NULL;
}

__attribute__((used, visibility("hidden"))) long snarli_futex(ARGUMENTS);

long snarli_futex(ARGUMENTS) {
  const void *futex = awaited(VALUES);
  if (!futex)
    return call_real(VALUES);
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (!call.is_recorded)
    return call_real(VALUES);
  SNARLI_CANCELLABLE wait = {SNARLI_R_FUTEX_WAIT_RETURNED, snarli_address(futex), call.stack};
  snarli_record_aux(SNARLI_R_FUTEX_WAIT_REQUESTED, d ? SNARLI_F_TIMED : 0, wait.object, wait.stack);
  long result = call_real(VALUES);
  wait.type = 0;
  snarli_record_aux(SNARLI_R_FUTEX_WAIT_RETURNED, result == -1 ? (unsigned)errno : 0, wait.object, wait.stack);
  return result;
}

__attribute__((used, visibility("hidden"))) long snarli_closing_call(ARGUMENTS);

long snarli_closing_call(ARGUMENTS) {
  snarli_descriptors_called(number, a, b, c, SNARLI_STACK_IF_RECORDING);
  return call_real(VALUES);
}

#ifdef __x86_64__
/* What everything else is handed on to; stored by the constructor. */
extern void *snarli_syscall_real;
__attribute__((used, visibility("hidden"))) extern long snarli_syscall_early(ARGUMENTS);
__attribute__((used, visibility("hidden"))) void *snarli_syscall_real;

long snarli_syscall_early(ARGUMENTS) { return call_real(VALUES); }

static __attribute__((constructor)) void syscall_find(void) {
  __atomic_store_n(&snarli_syscall_real, (void *)snarli_real()->syscall, __ATOMIC_RELEASE);
}

#define TEXT_OF(x) #x
#define CASE(number, to) "  cmpq $" TEXT_OF(number) ", %rdi\n  je " #to "\n"
#define CASES                                                                                                          \
  CASE(SYS_futex, snarli_futex)                                                                                        \
  CASE(SYS_futex_waitv, snarli_futex)                                                                                  \
  CASE(SYS_close, snarli_closing_call)                                                                                 \
  CASE(SYS_close_range, snarli_closing_call)                                                                           \
  CASE(SYS_dup2, snarli_closing_call)                                                                                  \
  CASE(SYS_dup3, snarli_closing_call)
/* clang-format off */
__asm__(".pushsection .text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        "syscall:\n"
        "  .cfi_startproc\n"
        "  endbr64\n"
        CASES
        "  movq snarli_syscall_real(%rip), %r11\n"
        "  testq %r11, %r11\n"
        "  je snarli_syscall_early\n"
        "  jmp *%r11\n"
        "  .cfi_endproc\n"
        ".size syscall, . - syscall\n"
        ".popsection\n");
/* clang-format on */
#else
SNARLI_EXPORT long syscall(long number, ...) {
  long values[6];
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++)
    values[i] = va_arg(rest, long);
  va_end(rest);
  bool is_closing = number == SYS_close || number == SYS_close_range || number == SYS_dup3;
#ifdef SYS_dup2
  is_closing |= number == SYS_dup2;
#endif
  syscall_function call = number == SYS_futex || number == SYS_futex_waitv ? snarli_futex
                          : is_closing                                     ? snarli_closing_call
                                                                           : call_real;
  return call(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}
#endif
