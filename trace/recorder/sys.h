/* SPDX-License-Identifier: MIT
 *
 * System calls as the recorder may make them: straight to the kernel, so that errno stays the program's, no
 * cancellation point is entered and no wrapped libc function is called. Results are the kernel's: -errno on failure.
 * Any context.
 */
#ifndef SNARLI_SYS_H
#define SNARLI_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
static inline long sys_call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline long sys_call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "add the system call instruction of this architecture"
#endif

static inline int sys_open(const char *path, int flags, int mode) {
  return (int)sys_call(SYS_openat, AT_FDCWD, (long)path, flags, mode, 0, 0);
}
static inline int sys_close(int fd) { return (int)sys_call(SYS_close, fd, 0, 0, 0, 0, 0); }
static inline long sys_read(int fd, void *buffer, size_t size) {
  return sys_call(SYS_read, fd, (long)buffer, (long)size, 0, 0, 0);
}
static inline long sys_readlink(const char *path, char *buffer, size_t size) {
  return sys_call(SYS_readlinkat, AT_FDCWD, (long)path, (long)buffer, (long)size, 0, 0);
}
/* In a test under ThreadSanitizer: it must see that memory is new, or takes whoever had the address before for a racer.
 */
#ifdef __SANITIZE_THREAD__
static inline void *sys_mmap(void *where, size_t size, int protection, int flags, int fd, uint64_t offset) {
  int saved = errno;
  void *memory = mmap(where, size, protection, flags, fd, (off_t)offset);
  memory = memory == MAP_FAILED ? (void *)(intptr_t)-errno : memory;
  errno = saved;
  return memory;
}
static inline void sys_munmap(void *where, size_t size) {
  int saved = errno;
  (void)munmap(where, size);
  errno = saved;
}
#else
static inline void *sys_mmap(void *where, size_t size, int protection, int flags, int fd, uint64_t offset) {
  return (void *)sys_call(SYS_mmap, (long)where, (long)size, protection, flags, fd, (long)offset);
}
static inline void sys_munmap(void *where, size_t size) {
  (void)sys_call(SYS_munmap, (long)where, (long)size, 0, 0, 0, 0);
}
#endif
static inline int sys_is_error(const void *pointer) { return (uintptr_t)pointer >= (uintptr_t)-4095; }
static inline int sys_madvise(void *where, size_t size, int advice) {
  return (int)sys_call(SYS_madvise, (long)where, (long)size, advice, 0, 0, 0);
}
static inline int sys_fallocate(int fd, uint64_t offset, uint64_t size) {
  return (int)sys_call(SYS_fallocate, fd, 0, (long)offset, (long)size, 0, 0);
}
static inline long sys_pwrite(int fd, const void *data, size_t size, uint64_t offset) {
  return sys_call(SYS_pwrite64, fd, (long)data, (long)size, (long)offset, 0, 0);
}
static inline long sys_ioctl(int fd, unsigned long request, void *argument) {
  return sys_call(SYS_ioctl, fd, (long)request, (long)argument, 0, 0, 0);
}
static inline int sys_fstat(int fd, struct stat *out) { return (int)sys_call(SYS_fstat, fd, (long)out, 0, 0, 0, 0); }
static inline int sys_fcntl(int fd, int command, long argument) {
  return (int)sys_call(SYS_fcntl, fd, command, argument, 0, 0, 0);
}
static inline int sys_getrlimit(int resource, struct rlimit *out) {
  return (int)sys_call(SYS_prlimit64, 0, resource, 0, (long)out, 0, 0);
}
static inline int sys_getpid(void) { return (int)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0); }
static inline int sys_getppid(void) { return (int)sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0); }
static inline int sys_gettid(void) { return (int)sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0); }
static inline void sys_yield(void) { (void)sys_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0); }

/* Signals off for a short piece of slow path; `saved` takes the kernel's 64-bit mask. */
static inline void sys_block_signals(uint64_t *saved) {
  uint64_t all = ~0ull;
  (void)sys_call(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&all, (long)saved, 8, 0, 0);
}
static inline void sys_restore_signals(const uint64_t *saved) {
  (void)sys_call(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)saved, 0, 8, 0, 0);
}

#endif
