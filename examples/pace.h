/* SPDX-License-Identifier: MIT
 *
 * How long the examples take: as long as their Python originals, or faster. SNARL_TIME_SCALE=0.02 makes them fifty
 * times faster, SNARL_SEED=1 makes what they draw by lot the same each time. Entered by any thread.
 */
#ifndef SNARL_EXAMPLES_PACE_H
#define SNARL_EXAMPLES_PACE_H

#include <snarl/snarl.h>
#include <stdlib.h>

static inline double pace_number(const char *variable, double otherwise) {
  const char *text = getenv(variable);
  char *end;
  double number = text ? strtod(text, &end) : otherwise;
  return text && (end == text || *end || !(number >= 0)) ? otherwise : number;
}

/* time.sleep(seconds) */
static inline void pace_sleep(double seconds) { snarl_sleep(SNARL_S(seconds * pace_number("SNARL_TIME_SCALE", 1))); }

/* random.uniform(low, high); the calls of a program share one sequence. */
static inline double pace_uniform(double low, double high) {
  static uint64_t drawn;
  uint64_t z = (uint64_t)pace_number("SNARL_SEED", (double)(snarl_clock() % 1000003)) * 0x9e3779b97f4a7c15u;
  z += __atomic_add_fetch(&drawn, 1, __ATOMIC_RELAXED) * 0xd1342543de82ef95u; /* SplitMix64 */
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return low + (high - low) * ((double)(z >> 11) / (double)(1ull << 53));
}

/* random.randint(low, high) */
static inline int pace_integer(int low, int high) { return low + (int)(pace_uniform(0, 1) * (high - low + 1)); }

#endif
