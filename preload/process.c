/* SPDX-License-Identifier: MIT
 *
 * Processes that begin (fork, _Fork, vfork, daemon, posix_spawn) and end (_exit, _Exit, quick_exit). The child's side
 * of a fork is the recorder's: it begins an image of its own. Entered by any thread; fork, _Fork and _exit also by
 * signal handlers.
 */
#include "descriptors.h"
#include "environment.h"
#include <stdlib.h>

static void forked(pid_t pid, unsigned flags, uint32_t stack) {
  if (pid > 0)
    snarli_record_aux(SNARLI_R_FORKED, flags, (uint64_t)pid, stack);
  else
    snarli_record_aux(SNARLI_R_FORK_FAILED, (unsigned)errno, 0, stack);
}

static pid_t recorded_fork(pid_t (*real)(void), uint32_t stack) {
  snarli_record_aux(SNARLI_R_FORK_REQUESTED, 0, 0, stack);
  pid_t pid = real();
  if (pid)
    forked(pid, 0, stack);
  return pid;
}

SNARLI_EXPORT pid_t fork(void) {
  pid_t (*real)(void) = snarli_real()->fork;
  return snarli_is_recording() ? recorded_fork(real, SNARLI_STACK) : real();
}

/* Runs no pthread_atfork handlers, so the recorder has to be told. */
SNARLI_EXPORT pid_t _Fork(void) {
  pid_t (*real)(void) = snarli_real()->_Fork;
  if (!snarli_is_recording())
    return real();
  pid_t pid = recorded_fork(real, SNARLI_STACK);
  if (!pid)
    snarli_after_fork_in_child();
  return pid;
}

#ifdef __x86_64__
/* The child of a vfork runs on its parent's memory until it execs or ends: on the same stack, which it overwrites once
 * it returns from here, and with the same thread-local variables. So the return address crosses the system call in a
 * register, which the kernel keeps for the parent, and recording is suspended until the parent comes back. */
__attribute__((used, visibility("hidden"))) void snarli_vfork_begin(const void *cfa, const void *pc);
__attribute__((used, visibility("hidden"))) long snarli_vfork_end(long result, const void *cfa, const void *pc);

void snarli_vfork_begin(const void *cfa, const void *pc) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_FORK_REQUESTED, SNARLI_F_VFORK, 0, snarli_stack((struct snarli_site){cfa, pc}));
  snarli_suspend();
}

/* In the parent. */
long snarli_vfork_end(long result, const void *cfa, const void *pc) {
  snarli_resume();
  snarli_environment_vfork_end();
  if (result < 0)
    errno = (int)-result;
  if (snarli_is_recording())
    forked((pid_t)result, SNARLI_F_VFORK, snarli_stack((struct snarli_site){cfa, pc}));
  return result < 0 ? -1 : result;
}

__asm__(".pushsection .text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "  .cfi_startproc\n"
        "  endbr64\n"
        "  leaq 8(%rsp), %rdi\n" /* where the caller's frame begins */
        "  movq (%rsp), %rsi\n"  /* the return address */
        "  subq $8, %rsp\n"      /* calls want the stack aligned to 16 */
        "  .cfi_adjust_cfa_offset 8\n"
        "  call snarli_vfork_begin\n"
        "  addq $8, %rsp\n"
        "  .cfi_adjust_cfa_offset -8\n"
        "  popq %rdi\n" /* the return address, out of the child's way */
        "  .cfi_adjust_cfa_offset -8\n"
        "  .cfi_register %rip, %rdi\n"
        "  movl $58, %eax\n" /* SYS_vfork */
        "  syscall\n"
        "  pushq %rdi\n"
        "  .cfi_adjust_cfa_offset 8\n"
        "  .cfi_rel_offset %rip, 0\n"
        "  testq %rax, %rax\n"
        "  je 1f\n"
        "  movq %rax, %rdi\n"
        "  leaq 8(%rsp), %rsi\n"
        "  movq (%rsp), %rdx\n"
        "  subq $8, %rsp\n"
        "  .cfi_adjust_cfa_offset 8\n"
        "  call snarli_vfork_end\n"
        "  addq $8, %rsp\n"
        "  .cfi_adjust_cfa_offset -8\n"
        "1: ret\n"
        "  .cfi_endproc\n"
        ".size vfork, . - vfork\n"
        ".popsection\n");
#else
/* POSIX lets vfork be fork; sharing the parent's memory and stack takes assembly that exists for x86-64 only. */
SNARLI_EXPORT pid_t vfork(void) {
  pid_t (*real)(void) = snarli_real()->fork;
  return snarli_is_recording() ? recorded_fork(real, SNARLI_STACK) : real();
}
#endif

/* glibc's daemon forks and ends the parent inside itself, so the parent's end is marked before it can be known. It
 * comes back to the parent only if the fork failed. */
SNARLI_EXPORT int daemon(int nochdir, int noclose) {
  if (!snarli_is_recording())
    return snarli_real()->daemon(nochdir, noclose);
  uint32_t stack = SNARLI_STACK;
  pid_t parent = getpid();
  snarli_record_aux(SNARLI_R_FORK_REQUESTED, 0, 0, stack);
  snarli_process_end(0);
  int result = snarli_real()->daemon(nochdir, noclose);
  for (int fd = 0; !noclose && fd <= 2; fd++)
    snarli_descriptor_forget(fd); /* replaced by /dev/null inside */
  if (result && getpid() == parent) {
    snarli_process_end(-1);
    forked(-1, 0, stack);
  }
  return result;
}

typedef int (*spawn_function)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                              char *const *, char *const *);

static int spawn(spawn_function real, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attr, char *const *argv, char *const *envp, uint32_t stack) {
  bool is_recording = snarli_is_recording();
  struct snarli_environment environment;
  char *const *variables = snarli_environment_make(&environment, envp);
  if (is_recording)
    snarli_record_aux(SNARLI_R_FORK_REQUESTED, SNARLI_F_SPAWN, 0, stack);
  pid_t child = 0;
  int error = real(&child, path, actions, attr, argv, variables);
  if (!error && pid)
    *pid = child;
  if (is_recording && error)
    snarli_record_aux(SNARLI_R_FORK_FAILED, (unsigned)error, 0, stack);
  else if (is_recording)
    snarli_record_aux(SNARLI_R_FORKED, SNARLI_F_SPAWN, (uint64_t)child, stack);
  snarli_environment_drop(&environment);
  return error;
}

SNARLI_VERSION_GLIBC_2_15(posix_spawn)
SNARLI_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                              const posix_spawnattr_t *attr, char *const argv[], char *const envp[]) {
  return spawn(snarli_real()->posix_spawn, pid, path, actions, attr, argv, envp, SNARLI_STACK_IF_RECORDING);
}

SNARLI_VERSION_GLIBC_2_15(posix_spawnp)
SNARLI_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                               const posix_spawnattr_t *attr, char *const argv[], char *const envp[]) {
  return spawn(snarli_real()->posix_spawnp, pid, file, actions, attr, argv, envp, SNARLI_STACK_IF_RECORDING);
}

/* The child's pid is not told: 0. */
SNARLI_EXPORT FILE *popen(const char *command, const char *mode) {
  if (!snarli_is_recording())
    return snarli_real()->popen(command, mode);
  uint32_t stack = SNARLI_STACK;
  snarli_record_aux(SNARLI_R_FORK_REQUESTED, SNARLI_F_SPAWN, 0, stack);
  FILE *stream = snarli_real()->popen(command, mode);
  if (stream)
    snarli_record_aux(SNARLI_R_FORKED, SNARLI_F_SPAWN, 0, stack);
  else
    snarli_record_aux(SNARLI_R_FORK_FAILED, (unsigned)errno, 0, stack);
  return stream;
}

static void process_ends(int status, uint32_t stack) {
  if (!snarli_is_recording())
    return;
  snarli_record_aux(SNARLI_R_PROCESS_EXIT, 0, (uint32_t)status, stack);
  snarli_process_end(status & 0xff);
}

SNARLI_EXPORT void _exit(int status) {
  process_ends(status, SNARLI_STACK_IF_RECORDING);
  snarli_real()->_exit(status);
  __builtin_unreachable();
}

SNARLI_EXPORT void _Exit(int status) {
  process_ends(status, SNARLI_STACK_IF_RECORDING);
  snarli_real()->_Exit(status);
  __builtin_unreachable();
}

SNARLI_EXPORT void quick_exit(int status) {
  process_ends(status, SNARLI_STACK_IF_RECORDING);
  snarli_real()->quick_exit(status);
  __builtin_unreachable();
}
