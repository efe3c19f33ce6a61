/* SPDX-License-Identifier: MIT
 *
 * Reduction of a general resource graph (Holt 1972, "Some deadlock properties of computer systems"): which of those who
 * wait can ever go on? The plain model: repeat until nothing changes: a free node goes on; an AND node goes
 * on when all its successors do; an OR node when at least one does. What is left is stuck. Linear in the
 * graph. Pure; any thread.
 */
#ifndef SNARL_ALGO_REDUCTION_H
#define SNARL_ALGO_REDUCTION_H

#include "graph.h"

enum reduction_kind {
  REDUCTION_FREE,
  REDUCTION_AND, /* without successors: goes on */
  REDUCTION_OR   /* without successors: stuck */
};

/* Writes to `goes_on` (graph->count values) who goes on. `kinds`: enum reduction_kind of each node. */
void reduction_run(struct arena *arena, const struct graph *graph, const uint8_t *kinds, bool *goes_on);

#endif
