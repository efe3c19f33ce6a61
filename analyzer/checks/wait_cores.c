/* SPDX-License-Identifier: MIT
 *
 * The cores of a stuck set: strongly connected components of what is left after the reduction that lead to no other.
 * Their threads wait for each other and for nobody else (a knot in Holt's sense); everybody else who is stuck waits
 * behind one or more of them. One thread per value.
 */
#include "wait_cores.h"
#include <string.h>

struct cores {
  struct wait_graph *graph;
  struct graph stuck; /* the edges between stuck nodes */
  uint32_t *component;
  bool *leads_out; /* by component */
  int32_t *core;   /* by component */
};

static struct graph stuck_part(struct wait_graph *graph, const struct graph *all, const bool *goes_on) {
  VECTOR(struct graph_edge) edges = {0};
  for (uint32_t n = 0; n < all->count; n++)
    for (uint32_t e = all->first[n]; e < all->first[n + 1]; e++)
      if (!goes_on[n] && !goes_on[all->to[e]])
        vector_push(graph->arena, &edges) = (struct graph_edge){n, all->to[e]};
  struct graph part = graph_build(graph->arena, all->count, edges.items, edges.count);
  vector_free(graph->arena, &edges);
  return part;
}

static void number_cores(struct cores *cores, uint32_t components) {
  struct wait_graph *graph = cores->graph;
  memset(cores->core, 0xff, (components + 1) * sizeof *cores->core);
  for (uint32_t i = 0; i < graph->thread_count; i++) {
    uint32_t c = cores->component[i];
    if (!graph->nodes[i].is_stuck || cores->leads_out[c])
      continue;
    if (cores->core[c] < 0) {
      cores->core[c] = (int32_t)graph->cores.count;
      vector_push(graph->arena, &graph->cores) = (struct wait_core){0};
    }
    graph->nodes[i].core = cores->core[c];
    vector_push(graph->arena, &graph->cores.items[cores->core[c]].threads) = graph->nodes[i].thread;
  }
}

/* Who leads to the core, against the edges. */
static void gather(struct cores *cores, const struct graph *reverse, uint32_t number, uint32_t *queue, bool *seen) {
  struct wait_graph *graph = cores->graph;
  struct wait_core *core = &graph->cores.items[number];
  uint32_t count = 0;
  for (size_t i = 0; i < core->threads.count; i++)
    seen[queue[count++] = core->threads.items[i]->place] = true;
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t e = reverse->first[queue[i]]; e < reverse->first[queue[i] + 1]; e++)
      if (!seen[reverse->to[e]])
        seen[queue[count++] = reverse->to[e]] = true;
  for (uint32_t i = 0; i < graph->thread_count; i++)
    if (seen[i] && graph->nodes[i].core != (int32_t)number) {
      vector_push(graph->arena, &core->behind) = graph->nodes[i].thread;
      vector_push(graph->arena, &graph->nodes[i].behind) = number;
    }
  for (uint32_t i = 0; i < count; i++)
    seen[queue[i]] = false;
}

void wait_cores_find(struct wait_graph *graph, const struct graph *all, const bool *goes_on) {
  struct arena *arena = graph->arena;
  struct cores cores = {.graph = graph, .stuck = stuck_part(graph, all, goes_on)};
  cores.component = arena_alloc(arena, (all->count + 1) * sizeof *cores.component);
  uint32_t components = graph_scc(arena, &cores.stuck, cores.component);
  cores.leads_out = arena_alloc(arena, components + 1);
  cores.core = arena_alloc(arena, (components + 1) * sizeof *cores.core);
  for (uint32_t n = 0; n < all->count; n++)
    for (uint32_t e = cores.stuck.first[n]; e < cores.stuck.first[n + 1]; e++)
      cores.leads_out[cores.component[n]] |= cores.component[n] != cores.component[cores.stuck.to[e]];
  number_cores(&cores, components);
  struct graph reverse = graph_reverse(arena, &cores.stuck);
  uint32_t *queue = arena_alloc(arena, (all->count + 1) * sizeof *queue);
  bool *seen = arena_alloc(arena, all->count + 1);
  for (uint32_t i = 0; i < graph->cores.count; i++)
    gather(&cores, &reverse, i, queue, seen);
}
