/* SPDX-License-Identifier: MIT
 *
 * Directed graphs on the nodes 0 ... count - 1: strongly connected components and elementary cycles. Pure; one
 * thread per graph.
 */
#ifndef SNARL_ALGO_GRAPH_H
#define SNARL_ALGO_GRAPH_H

#include "arena.h"
#include <stdbool.h>

struct graph_edge {
  uint32_t from, to;
};

/* The successors of n are to[first[n]] ... to[first[n + 1] - 1], ascending. */
struct graph {
  uint32_t count;
  uint32_t *first, *to;
};

/* From a list of edges in any order; duplicates count once. The graph lives as long as the arena. */
struct graph graph_build(struct arena *arena, uint32_t count, const struct graph_edge *edges, size_t edge_count);
struct graph graph_reverse(struct arena *arena, const struct graph *graph);

/* Writes each node's component to `component` (`count` numbers) and returns how many there are. A component has a
 * lower number than all that lead to it. */
uint32_t graph_scc(struct arena *arena, const struct graph *graph, uint32_t *component);

/* A search for elementary cycles. Each is found once, beginning with its lowest node. */
struct graph_search {
  uint32_t shortest, longest; /* nodes in a cycle */
  uint64_t budget;            /* steps left; a step is an edge looked at */
  /* May `next` follow the path? A false answer prunes all cycles that begin so. NULL: always. */
  bool (*may_follow)(void *context, const uint32_t *path, uint32_t length, uint32_t next);
  /* A cycle; false ends the search. */
  bool (*found)(void *context, const uint32_t *path, uint32_t length);
  void *context;
};

/* False when the budget ran out or `found` ended it: there may be more cycles. */
bool graph_cycles(struct arena *arena, const struct graph *graph, struct graph_search *search);

#endif
