/* SPDX-License-Identifier: MIT
 *
 * The record clock: one scale for all processors and processes of the machine. Any context.
 *
 * Order: a stamp taken after an acquisition must not be taken early by an out-of-order processor, hence the
 * waiting forms (Intel SDM vol. 2B, RDTSCP: waits until all previous instructions have executed). A stamp before a
 * release may be early but not late: the store that releases retires after it.
 */
#ifndef SNARLI_CLOCK_H
#define SNARLI_CLOCK_H

#include <snarl/trace/format.h>
#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC through the vDSO: neither a cancellation point nor a lock. */
static inline uint64_t clock_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_realtime_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

/* The time stamp counter serves if it never stops and runs at one rate (CPUID 80000007H, EDX bit 8). */
static inline enum snarli_clock clock_choose(void) {
  unsigned a, b, c, d;
  return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & 1u << 8) ? SNARLI_CLOCK_TSC : SNARLI_CLOCK_MONOTONIC;
}
static inline uint64_t clock_now(enum snarli_clock clock) {
  return clock == SNARLI_CLOCK_TSC ? __rdtsc() : clock_monotonic_ns();
}
static inline uint64_t clock_now_after(enum snarli_clock clock) {
  unsigned processor;
  return clock == SNARLI_CLOCK_TSC ? __rdtscp(&processor) : clock_monotonic_ns();
}
#elif defined(__aarch64__)
static inline enum snarli_clock clock_choose(void) { return SNARLI_CLOCK_CNTVCT; }
static inline uint64_t clock_now(enum snarli_clock clock) {
  (void)clock;
  uint64_t now;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(now)::"memory");
  return now;
}
static inline uint64_t clock_now_after(enum snarli_clock clock) {
  __asm__ volatile("isb" ::: "memory");
  return clock_now(clock);
}
#else
static inline enum snarli_clock clock_choose(void) { return SNARLI_CLOCK_MONOTONIC; }
static inline uint64_t clock_now(enum snarli_clock clock) {
  (void)clock;
  return clock_monotonic_ns();
}
static inline uint64_t clock_now_after(enum snarli_clock clock) { return clock_now(clock); }
#endif

#endif
