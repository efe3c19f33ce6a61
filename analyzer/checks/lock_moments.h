/* SPDX-License-Identifier: MIT
 *
 * What the second replay (lock_moments.c) and the verdicts (lock_verdict.c) of one analysis share. One thread per
 * value.
 */
#ifndef SNARL_CHECKS_LOCK_MOMENTS_H
#define SNARL_CHECKS_LOCK_MOMENTS_H

#include "lock_cycles.h"

/* Replays the trace again with clocks, as far as there is anything left to learn, and calls lock_verdicts_look now and
 * then. */
void lock_moments_collect(struct lock_cycles *cycles);

/* Raises the verdicts of patterns that have none yet which cannot be raised any more, by the moments known so far.
 * `tests`: how many pairs of acquires may be compared. True: all comparisons were made. */
bool lock_verdicts_look(struct lock_cycles *cycles, uint64_t tests);

/* Nothing can change this verdict. */
static inline bool lock_cycle_is_settled(const struct lock_cycle *cycle) { return cycle->verdict == VERDICT_FEASIBLE; }

#endif
