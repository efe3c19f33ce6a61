/* SPDX-License-Identifier: MIT
 *
 * Vector clocks (Mattern 1989, "Virtual time and global states of distributed systems"; Fidge 1988) as persistent
 * radix trees of 16: a clock never changes, versions share what is equal, and a join visits only the parts in which the
 * two sides differ. What tree clocks (Mathur et al. ASPLOS 2022) gain for mutable clocks, sharing gains for clocks that
 * are kept. The plain model: an unbounded array of numbers, one per thread, all zero at first; NULL is the zero clock.
 * Clocks are counted. One thread per pool.
 */
#ifndef SNARL_ALGO_CLOCK_H
#define SNARL_ALGO_CLOCK_H

#include "arena.h"
#include <stdbool.h>

struct clock; /* immutable */

struct clocks {
  struct arena *arena;
  struct clock *spare[2]; /* nodes to use again: leaves, inner nodes */
};

void clocks_init(struct clocks *pool, struct arena *arena);
/* All functions that return a clock return a reference that the caller gives back with clock_drop. */
struct clock *clock_keep(struct clock *clock);
void clock_drop(struct clocks *pool, struct clock *clock);
uint32_t clock_get(const struct clock *clock, uint32_t thread);
/* `clock` with this thread's number set. */
struct clock *clock_set(struct clocks *pool, struct clock *clock, uint32_t thread, uint32_t time);
/* The least clock that is not before either. Returns `a` itself when b adds nothing. */
struct clock *clock_join(struct clocks *pool, struct clock *a, struct clock *b);
/* No thread's number is greater in `a` than in `b`. */
bool clock_is_before(const struct clock *a, const struct clock *b);

#endif
