/* SPDX-License-Identifier: MIT
 *
 * Reduction of a general resource graph (see reduction.h): a work list against the edges, with a count per AND node of
 * the successors that it still needs. Any thread.
 */
#include "reduction.h"
#include <string.h>

void reduction_run(struct arena *arena, const struct graph *graph, const uint8_t *kinds, bool *goes_on) {
  size_t n = graph->count;
  struct graph reverse = graph_reverse(arena, graph);
  uint32_t *memory = arena_resize(arena, NULL, (2 * n + 1) * sizeof *memory), *needs = memory, *work = memory + n;
  size_t work_count = 0;
  memset(goes_on, 0, n * sizeof *goes_on);
  for (uint32_t i = 0; i < n; i++) {
    needs[i] = kinds[i] == REDUCTION_OR ? 1 : kinds[i] == REDUCTION_AND ? graph->first[i + 1] - graph->first[i] : 0;
    if (!needs[i]) {
      goes_on[i] = true;
      work[work_count++] = i;
    }
  }
  while (work_count) {
    uint32_t node = work[--work_count];
    for (uint32_t e = reverse.first[node]; e < reverse.first[node + 1]; e++) {
      uint32_t waiter = reverse.to[e];
      if (goes_on[waiter] || --needs[waiter])
        continue;
      goes_on[waiter] = true;
      work[work_count++] = waiter;
    }
  }
  arena_release(arena, memory);
}
