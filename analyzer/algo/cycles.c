/* SPDX-License-Identifier: MIT
 *
 * Elementary cycles of a graph, after Johnson (1975, "Finding all the elementary circuits of a directed graph"): from
 * each node in turn, through higher nodes of its component only. Cycles are bounded in length and pruned by the
 * caller, for which Johnson's blocking is not sound; instead a path is left as soon as what remains of its length
 * is less than the distance back to its root. One thread per graph.
 */
#include "graph.h"
#include <string.h>

struct hunt {
  const struct graph *graph, *reverse;
  struct graph_search *search;
  uint32_t *component;
  uint32_t *distance; /* to the root; UINT32_MAX: too far */
  uint32_t *queue, queued;
  uint32_t *path, *edge, length;
  bool *is_on_path;
  bool is_over;
};

static bool spend(struct hunt *hunt) {
  if (!hunt->search->budget)
    hunt->is_over = true;
  else
    hunt->search->budget--;
  return !hunt->is_over;
}

/* Breadth first, against the edges. */
static void measure(struct hunt *hunt, uint32_t root) {
  hunt->queued = 0;
  hunt->queue[hunt->queued++] = root;
  hunt->distance[root] = 0;
  for (uint32_t i = 0; i < hunt->queued; i++) {
    uint32_t node = hunt->queue[i];
    if (hunt->distance[node] + 1 >= hunt->search->longest)
      break;
    for (uint32_t e = hunt->reverse->first[node]; e < hunt->reverse->first[node + 1]; e++) {
      uint32_t before = hunt->reverse->to[e];
      if (before <= root || hunt->distance[before] != UINT32_MAX || hunt->component[before] != hunt->component[root])
        continue;
      if (!spend(hunt))
        return;
      hunt->distance[before] = hunt->distance[node] + 1;
      hunt->queue[hunt->queued++] = before;
    }
  }
}

static void push(struct hunt *hunt, uint32_t node) {
  hunt->edge[hunt->length] = hunt->graph->first[node];
  hunt->path[hunt->length++] = node;
  hunt->is_on_path[node] = true;
}

static void follow(struct hunt *hunt, uint32_t root, uint32_t next) {
  struct graph_search *search = hunt->search;
  if (next == root) {
    if (hunt->length >= search->shortest && !search->found(search->context, hunt->path, hunt->length))
      hunt->is_over = true;
    return;
  }
  if (hunt->distance[next] == UINT32_MAX || hunt->is_on_path[next] ||
      (uint64_t)hunt->length + hunt->distance[next] > search->longest)
    return;
  if (!search->may_follow || search->may_follow(search->context, hunt->path, hunt->length, next))
    push(hunt, next);
}

static void hunt_from(struct hunt *hunt, uint32_t root) {
  push(hunt, root);
  while (hunt->length && !hunt->is_over) {
    uint32_t last = hunt->path[hunt->length - 1], *edge = &hunt->edge[hunt->length - 1];
    if (*edge == hunt->graph->first[last + 1]) {
      hunt->is_on_path[last] = false;
      hunt->length--;
    } else if (spend(hunt)) {
      follow(hunt, root, hunt->graph->to[(*edge)++]);
    }
  }
}

static void forget(struct hunt *hunt) {
  for (uint32_t i = 0; i < hunt->queued; i++)
    hunt->distance[hunt->queue[i]] = UINT32_MAX;
}

bool graph_cycles(struct arena *arena, const struct graph *graph, struct graph_search *search) {
  size_t n = graph->count;
  struct graph reverse = graph_reverse(arena, graph);
  uint32_t *memory = arena_resize(arena, NULL, (5 * n + 1) * sizeof *memory);
  bool *is_on_path = arena_resize(arena, NULL, n + 1);
  struct hunt hunt = {.graph = graph,
                      .reverse = &reverse,
                      .search = search,
                      .component = memory,
                      .distance = memory + n,
                      .queue = memory + 2 * n,
                      .path = memory + 3 * n,
                      .edge = memory + 4 * n,
                      .is_on_path = is_on_path};
  memset(is_on_path, 0, n);
  memset(hunt.distance, 0xff, n * sizeof *hunt.distance);
  graph_scc(arena, graph, hunt.component);
  for (uint32_t root = 0; root < n && !hunt.is_over; root++) {
    measure(&hunt, root);
    if (!hunt.is_over)
      hunt_from(&hunt, root);
    forget(&hunt);
  }
  arena_release(arena, is_on_path);
  arena_release(arena, memory);
  return !hunt.is_over;
}
