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

/* A sleep and a waking take 20 us of processor time and as much again till they are through if the other side is on
 * another processor; seeing its store while spinning takes a hundredth. So each thread spins as long as it has paid
 * lately: a hit doubles the patience, a miss halves it, down to a little that is lost in the price of the sleep. Two
 * who put each other to sleep all the time need not, but to find out one has to spin as long as the other's waking
 * takes: one wait in many does. */
enum { SPIN_LEAST = 128, SPIN_MOST = 1536, SPIN_PROBE = 64, PROBE_TIME = BILLION / 10000 };
static __thread uint32_t patience __attribute__((tls_model("initial-exec"))) = SPIN_MOST;
static __thread uint32_t missed __attribute__((tls_model("initial-exec")));

/* Whether two threads of this program can run at the same time. What a thread is bound to later says nothing about the
 * others. */
static bool has_processors;

static __attribute__((constructor)) void count_processors(void) {
  cpu_set_t set;
  int saved = errno;
  has_processors = sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
  errno = saved;
}

static bool changes_in(const uint32_t *word, uint32_t expected, uint32_t looks) {
  for (uint32_t i = 0; i < looks; i++) {
    if (snarli_load(word) != expected)
      return true;
    snarli_relax();
  }
  return false;
}

static bool changes_while(const uint32_t *word, uint32_t expected, int64_t time) {
  bool has_changed = false;
  for (int64_t end = snarl_clock() + time; !has_changed && snarl_clock() < end;)
    has_changed = changes_in(word, expected, SPIN_LEAST);
  return has_changed;
}

static bool spin(const uint32_t *word, uint32_t expected) {
  bool has_paid = changes_in(word, expected, patience);
  if (has_paid)
    patience = patience * 2 < SPIN_MOST ? patience * 2 : SPIN_MOST;
  else if (patience > SPIN_LEAST)
    patience /= 2;
  else if (++missed % SPIN_PROBE == 0 && changes_while(word, expected, PROBE_TIME))
    patience = SPIN_MOST, has_paid = true;
  return has_paid;
}

/* When the other side waits for this very processor, it goes on for a tenth of what a sleep and a waking cost, and does
 * as much as it can at one go instead of being interrupted by who it wakes. Where it does not, yielding ends after a
 * few tries; where somebody else takes a slice of his, at once: who sleeps is woken before him. It is tried again now
 * and then. */
enum { YIELD_MOST = 4, YIELD_PROBE = 16, YIELD_LONGEST = BILLION / 2000 };
static __thread uint32_t courtesy __attribute__((tls_model("initial-exec"))) = YIELD_MOST;
static __thread uint32_t refused __attribute__((tls_model("initial-exec")));

static bool yield(const uint32_t *word, uint32_t expected) {
  if (!courtesy && ++refused % YIELD_PROBE)
    return false;
  int64_t begin = snarl_clock();
  (void)sched_yield();
  bool has_changed = snarli_load(word) != expected, is_long = snarl_clock() - begin > YIELD_LONGEST;
  courtesy = is_long ? 0 : has_changed ? YIELD_MOST : courtesy / 2;
  return has_changed;
}

static bool wait_a_little(const uint32_t *word, uint32_t expected) {
  return yield(word, expected) || (has_processors && spin(word, expected));
}

/* Each look at what the other side counts takes away the cache line that it is about to write, so one who takes each
 * thing as soon as it is there slows down both, several times. Where several come in a row a little wait lets them. */
enum { DWELL_LEAST = 4, DWELL_MOST = 64, DWELL_PROBE = 16 };
static __thread uint32_t dwelling __attribute__((tls_model("initial-exec")));
static __thread uint32_t passed __attribute__((tls_model("initial-exec")));

static void dwell(const uint32_t *counter) {
  if (dwelling < DWELL_LEAST && ++passed % DWELL_PROBE)
    return;
  uint32_t least = dwelling < DWELL_LEAST ? DWELL_LEAST : dwelling, before = snarli_load(counter);
  for (uint32_t i = 0; i < least; i++)
    snarli_relax();
  bool has_more = snarli_load(counter) != before;
  dwelling = !has_more ? least / 2 : least * 2 < DWELL_MOST ? least * 2 : DWELL_MOST;
}

void snarli_spin_apart(const uint32_t *word, uint32_t expected) { (void)spin(word, expected); }
void snarli_spin_together(const uint32_t *word, uint32_t expected) { (void)yield(word, expected); }
void snarli_spin(const uint32_t *word, uint32_t expected) { (void)wait_a_little(word, expected); }

void snarli_spin_for_several(const uint32_t *word, uint32_t expected, const uint32_t *counter) {
  if (wait_a_little(word, expected))
    dwell(counter);
}
