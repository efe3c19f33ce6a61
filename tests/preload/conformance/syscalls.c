/* SPDX-License-Identifier: MIT
 *
 * The function syscall: what it returns and leaves in errno, for calls that the shim looks at and others.
 */
#include "show.h"
#include <sys/syscall.h>

/* Calls with every number of arguments, that fail, wait, and return twice. */
static void system_calls(void) {
  static int futex = 1;
  struct timespec brief = {0, 1000};
  context = "syscall";
  SHOW(syscall(SYS_getpid) == getpid());
  SHOW(syscall(-1L));
  SHOW(syscall(SYS_close, -1));
  SHOW(syscall(SYS_write, -1, "", 1));
  char *at = (char *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SHOW(at != MAP_FAILED && at[4095] == 0);
  SHOW(syscall(SYS_munmap, at, 4096));
  SHOW(syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 1));
  SHOW(syscall(SYS_futex, &futex, 0, 0, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 0, 1, &brief, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 9, 0, NULL, NULL, -1));
  SHOW(syscall(SYS_futex, &futex, 9, 1, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, NULL, 0, 0, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 1, 1, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 0x7f, 1, NULL, NULL, 0));
  SHOW(syscall(449, NULL, 0, 0, NULL, 0));
  int status = 0;
  long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    _exit(5);
  SHOW(waitpid((pid_t)pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
}

int main(void) {
  system_calls();
  return 0;
}
