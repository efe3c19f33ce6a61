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
 * it has paid lately: a hit doubles the patience, a miss halves it, down to none, and then one wait in four is tried
 * for a moment. Two that wake each other in turn would never find out that they need not sleep, since each is asleep
 * when the other one tries; so now and then, more and more seldom, one spins for as long as a waking takes, and if that
 * is what it took, goes on so for some waits, among which the other side's next try will be. */
enum { SPIN_LEAST = 16, SPIN_MOST = 256, SPIN_PROBE = 4, TRIAL_WAITS = 8, TRIAL_FIRST = 32, TRIAL_LAST = 4096 };
#define TRIAL_TIME SNARL_US(100)
static __thread struct {
  uint32_t patience, waits; /* waits without any */
  uint32_t trial, next_trial, interval;
} spin __attribute__((tls_model("initial-exec"))) = {SPIN_MOST / 4, 0, 0, TRIAL_FIRST, TRIAL_FIRST};

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

static bool spin_for(const uint32_t *word, uint32_t expected, uint32_t most) {
  for (uint32_t i = 0; i < most; i++) {
    if (snarli_load(word) != expected)
      return true;
    snarli_relax();
  }
  return false;
}

static void spin_shortly(const uint32_t *word, uint32_t expected, uint32_t most) {
  if (spin_for(word, expected, most))
    spin.patience = most * 2 < SPIN_MOST ? most * 2 : SPIN_MOST;
  else
    spin.patience = most / 2;
}

static bool spin_long(const uint32_t *word, uint32_t expected) {
  int64_t deadline = snarl_clock() + TRIAL_TIME;
  while (snarl_clock() < deadline)
    if (spin_for(word, expected, SPIN_LEAST))
      return true;
  return false;
}

static void spin_on_trial(const uint32_t *word, uint32_t expected) {
  if (spin_for(word, expected, SPIN_MOST)) { /* the other side does not sleep any more */
    spin.patience = SPIN_MOST;
    spin.trial = 0;
    spin.interval = TRIAL_FIRST;
  } else if (spin_long(word, expected)) {
    spin.trial = spin.trial ? spin.trial - 1 : TRIAL_WAITS;
  } else {
    spin.trial = 0;
  }
  if (!spin.trial && spin.patience < SPIN_LEAST && spin.interval < TRIAL_LAST)
    spin.interval *= 2;
  spin.next_trial = spin.waits + spin.interval;
}

void snarli_spin_shared(const uint32_t *word, uint32_t expected) {
  if (spin.patience >= SPIN_LEAST)
    spin_shortly(word, expected, spin.patience);
  else if (++spin.waits == spin.next_trial || spin.trial)
    spin_on_trial(word, expected);
  else if (spin.waits % SPIN_PROBE == 0)
    spin_shortly(word, expected, SPIN_LEAST);
}

void snarli_spin(const uint32_t *word, uint32_t expected) {
  if (has_processors())
    snarli_spin_shared(word, expected);
}
