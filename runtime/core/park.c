/* SPDX-License-Identifier: MIT
 *
 * Sleeping and waking on futexes, deadlines, and the short spin before a sleep. Entered by any thread; errno stays.
 */
#include "seam.h"
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000

snarl_time snarl_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (snarl_time)now.tv_sec * BILLION + now.tv_nsec;
}

int64_t snarli_deadline(snarl_time timeout) {
  if (timeout == SNARL_FOREVER)
    return SNARLI_NEVER;
  if (timeout <= 0)
    return SNARLI_PAST;
  int64_t now = snarl_clock();
  return timeout < SNARLI_NEVER - now ? now + timeout : SNARLI_NEVER;
}

snarl_time snarl_deadline(snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  return deadline == SNARLI_PAST ? 0 : deadline;
}

snarl_time snarl_time_left(snarl_time deadline) {
  if (deadline == SNARL_FOREVER)
    return SNARL_FOREVER;
  snarl_time now = snarl_clock();
  return deadline > now ? deadline - now : 0;
}

static struct timespec timespec_of(int64_t deadline) {
  return (struct timespec){.tv_sec = deadline / BILLION, .tv_nsec = deadline % BILLION};
}

/* Straight to the kernel: errno stays, and a shim that listens to futexes is not told of ours, which the records of our
 * objects tell already. The kernel's result: -errno on failure. */
static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *until) {
#if defined(__x86_64__)
  long result;
  register const struct timespec *r10 __asm__("r10") = until;
  register long r8 __asm__("r8") = 0, r9 __asm__("r9") = FUTEX_BITSET_MATCH_ANY;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(SYS_futex), "D"(word), "S"(operation), "d"(value), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_futex, x0 __asm__("x0") = (long)word, x1 __asm__("x1") = operation;
  register long x2 __asm__("x2") = value, x3 __asm__("x3") = (long)until, x4 __asm__("x4") = 0;
  register long x5 __asm__("x5") = FUTEX_BITSET_MATCH_ANY;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "add the system call instruction of this architecture"
#endif
}

bool snarli_park(uint32_t *word, uint32_t expected, int64_t deadline) {
  if (deadline <= 0)
    return false;
  struct timespec until = timespec_of(deadline);
  return futex(word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, deadline == SNARLI_NEVER ? NULL : &until) !=
         -ETIMEDOUT;
}

void snarli_unpark(uint32_t *word, int count) {
  (void)futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, (uint32_t)count, NULL);
}

#define LOOK_AGAIN (BILLION / 10)

bool snarli_park_shared(uint32_t *word, uint32_t expected, int64_t deadline) {
  if (deadline <= 0)
    return false;
  int64_t next = snarl_clock() + LOOK_AGAIN;
  bool is_last = deadline <= next;
  struct timespec until = timespec_of(is_last ? deadline : next);
  return futex(word, FUTEX_WAIT_BITSET, expected, &until) != -ETIMEDOUT || !is_last;
}

int snarli_unpark_shared(uint32_t *word, int count) { return (int)futex(word, FUTEX_WAKE, (uint32_t)count, NULL); }

void snarl_sleep(snarl_time duration) {
  int64_t deadline = snarli_deadline(duration);
  uint32_t never = 0;
  while (snarli_park(&never, 0, deadline))
    ;
}

/* Waking a sleeper on another processor takes 20 to 70 us, and seeing its store while spinning a tenth of one; but a
 * spin on the processor that the other side needs is lost, and a switch comes on top. So each thread spins as long as
 * it has paid lately: a hit doubles the patience, a miss halves it, down to none, and then one wait in 16 is tried. */
enum { SPIN_LEAST = 8, SPIN_MOST = 256, SPIN_PROBE = 16 };
static __thread uint32_t patience __attribute__((tls_model("initial-exec"))) = SPIN_MOST / 4;
static __thread uint32_t skipped __attribute__((tls_model("initial-exec")));

static bool has_processors(void) {
  static uint32_t count; /* 0: not asked yet */
  uint32_t known = __atomic_load_n(&count, __ATOMIC_RELAXED);
  if (!known) {
    cpu_set_t set;
    int saved = errno;
    known = sched_getaffinity(0, sizeof set, &set) ? 2 : (uint32_t)CPU_COUNT(&set);
    errno = saved;
    __atomic_store_n(&count, known, __ATOMIC_RELAXED);
  }
  return known > 1;
}

void snarli_spin(const uint32_t *word, uint32_t expected) {
  if (!has_processors() || (patience < SPIN_LEAST && ++skipped % SPIN_PROBE))
    return;
  uint32_t most = patience < SPIN_LEAST ? SPIN_LEAST : patience;
  for (uint32_t i = 0; i < most; i++) {
    if (snarli_load(word) != expected) {
      patience = most * 2 < SPIN_MOST ? most * 2 : SPIN_MOST;
      return;
    }
    snarli_relax();
  }
  patience = most / 2;
}
