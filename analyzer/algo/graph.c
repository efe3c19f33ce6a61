/* SPDX-License-Identifier: MIT
 *
 * Building graphs, and their strongly connected components by Tarjan's algorithm (1972, "Depth-first search and linear
 * graph algorithms"), without recursion: a traced program decides how deep the graph is. One thread per graph.
 */
#include "graph.h"
#include <stdlib.h>
#include <string.h>

static int compare_edges(const void *a, const void *b) {
  const struct graph_edge *left = a, *right = b;
  if (left->from != right->from)
    return left->from < right->from ? -1 : 1;
  return (left->to > right->to) - (left->to < right->to);
}

struct graph graph_build(struct arena *arena, uint32_t count, const struct graph_edge *edges, size_t edge_count) {
  struct graph_edge *sorted = arena_resize(arena, NULL, (edge_count + 1) * sizeof *sorted);
  if (edge_count)
    memcpy(sorted, edges, edge_count * sizeof *sorted);
  qsort(sorted, edge_count, sizeof *sorted, compare_edges);
  struct graph graph = {.count = count};
  graph.first = arena_alloc(arena, ((size_t)count + 1) * sizeof *graph.first);
  graph.to = arena_alloc(arena, (edge_count + 1) * sizeof *graph.to);
  uint32_t kept = 0;
  for (size_t i = 0; i < edge_count; i++) {
    if (i && !compare_edges(&sorted[i - 1], &sorted[i]))
      continue;
    graph.to[kept++] = sorted[i].to;
    graph.first[sorted[i].from + 1]++;
  }
  for (uint32_t n = 0; n < count; n++)
    graph.first[n + 1] += graph.first[n];
  arena_release(arena, sorted);
  return graph;
}

struct graph graph_reverse(struct arena *arena, const struct graph *graph) {
  size_t edge_count = graph->first[graph->count];
  struct graph_edge *edges = arena_resize(arena, NULL, (edge_count + 1) * sizeof *edges);
  for (uint32_t n = 0; n < graph->count; n++)
    for (uint32_t e = graph->first[n]; e < graph->first[n + 1]; e++)
      edges[e] = (struct graph_edge){graph->to[e], n};
  struct graph reverse = graph_build(arena, graph->count, edges, edge_count);
  arena_release(arena, edges);
  return reverse;
}

struct walk {
  uint32_t *index, *low; /* when a node was reached; the oldest node it leads back to. index 0: not reached */
  uint32_t *edge;        /* the next edge of a node to look at */
  uint32_t *calls, call_count, *open, open_count;
  uint32_t reached, components, *component;
};

static void enter(struct walk *walk, const struct graph *graph, uint32_t node) {
  walk->index[node] = walk->low[node] = ++walk->reached;
  walk->edge[node] = graph->first[node];
  walk->calls[walk->call_count++] = node;
  walk->open[walk->open_count++] = node;
}

static void leave(struct walk *walk, uint32_t node) {
  walk->call_count--;
  if (walk->call_count) {
    uint32_t caller = walk->calls[walk->call_count - 1];
    if (walk->low[node] < walk->low[caller])
      walk->low[caller] = walk->low[node];
  }
  if (walk->low[node] != walk->index[node])
    return;
  uint32_t member;
  do {
    member = walk->open[--walk->open_count];
    walk->component[member] = walk->components;
  } while (member != node);
  walk->components++;
}

static void step(struct walk *walk, const struct graph *graph) {
  uint32_t node = walk->calls[walk->call_count - 1];
  if (walk->edge[node] == graph->first[node + 1]) {
    leave(walk, node);
    return;
  }
  uint32_t next = graph->to[walk->edge[node]++];
  if (!walk->index[next])
    enter(walk, graph, next);
  else if (walk->component[next] == UINT32_MAX && walk->index[next] < walk->low[node])
    walk->low[node] = walk->index[next];
}

uint32_t graph_scc(struct arena *arena, const struct graph *graph, uint32_t *component) {
  size_t n = graph->count;
  uint32_t *memory = arena_resize(arena, NULL, (5 * n + 1) * sizeof *memory);
  struct walk walk = {.index = memory,
                      .low = memory + n,
                      .edge = memory + 2 * n,
                      .calls = memory + 3 * n,
                      .open = memory + 4 * n,
                      .component = component};
  memset(memory, 0, n * sizeof *memory);
  memset(component, 0xff, n * sizeof *component);
  for (uint32_t root = 0; root < n; root++) {
    if (!walk.index[root])
      enter(&walk, graph, root);
    while (walk.call_count)
      step(&walk, graph);
  }
  arena_release(arena, memory);
  return walk.components;
}
