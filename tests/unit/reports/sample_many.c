/* SPDX-License-Identifier: MIT
 *
 * A large picture: 500 locks in the layers of a program, 12 findings among them. Built once per process; one thread.
 */
#include "sample.h"
#include <stdio.h>

#define LOCKS 500u
#define FINDINGS 12u
#define EDGES 2000u
#define TEXT 64u

/* A generator of its own: the same picture on every machine. */
static uint32_t draw(uint32_t *seed, uint32_t range) {
  *seed = *seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)*seed * range) >> 32);
}

struct builder {
  struct picture_node nodes[LOCKS];
  struct picture_edge edges[EDGES];
  char labels[LOCKS][TEXT], edge_labels[EDGES][TEXT], titles[FINDINGS][TEXT], ids[FINDINGS][17];
  size_t edge_count;
  struct finding findings[FINDINGS];
};

static void add_edge(struct builder *it, uint32_t from, uint32_t to, int32_t cycle, uint32_t *seed) {
  char *label = it->edge_labels[it->edge_count];
  snprintf(label, TEXT, "worker-%u %s.c:%u", draw(seed, 16), cycle != 0 ? "orders" : "layer", draw(seed, 900) + 1);
  it->edges[it->edge_count++] =
      (struct picture_edge){from, to, RELATION_ORDER, cycle != 0 ? EMPHASIS_CYCLE : EMPHASIS_NONE, cycle, label, "", 1};
}

/* Plain orders lead from earlier to later locks, so that only the findings are circles. */
static void build(struct builder *it) {
  static const char *const kinds[] = {"mutex", "rwlock", "mutex", "spinlock"};
  uint32_t seed = 7;
  for (uint32_t i = 0; i < LOCKS; i++) {
    snprintf(it->labels[i], TEXT, "%s %s_%u.c:%u", kinds[i % 4],
             i % 9 == 0 ? "a_rather_long_file_name_of_module" : "module", i / 10, draw(&seed, 400) + 1);
    it->nodes[i] = (struct picture_node){SHAPE_LOCK, EMPHASIS_NONE, 0, it->labels[i], "", 1 + (i % 7 == 0) * 31};
  }
  for (uint32_t i = 0; i < FINDINGS; i++) {
    uint32_t first = i * 40 + 3, size = 2 + i % 4;
    snprintf(it->titles[i], TEXT, "%u locks are taken in a circle by %u threads", size, size);
    snprintf(it->ids[i], sizeof it->ids[i], "%016x", i + 1);
    it->findings[i] = (struct finding){.rule = RULE_LOCK_ORDER_CYCLE,
                                       .level = LEVEL_ERROR,
                                       .verdict = VERDICT_FEASIBLE,
                                       .reason = "",
                                       .title = it->titles[i],
                                       .message = "",
                                       .help = "",
                                       .count = 1};
    snprintf(it->findings[i].id, sizeof it->findings[i].id, "%s", it->ids[i]);
    for (uint32_t k = 0; k < size; k++) {
      it->nodes[first + k].emphasis = EMPHASIS_CYCLE;
      it->nodes[first + k].cycle = (int32_t)i + 1;
      add_edge(it, first + k, first + (k + 1) % size, (int32_t)i + 1, &seed);
    }
  }
  for (uint32_t i = 0; i < LOCKS - 60; i++)
    for (uint32_t k = draw(&seed, 3); k > 0; k--)
      add_edge(it, i, i + 5 + draw(&seed, 30), 0, &seed);
}

const struct report *sample_many(void) {
  static struct builder it;
  static struct report report;
  if (it.edge_count == 0)
    build(&it);
  report = (struct report){.trace = "many.trace",
                           .is_complete = true,
                           .findings = it.findings,
                           .finding_count = FINDINGS,
                           .wait_for = {.kind = PICTURE_WAIT_FOR, .title = "Who waits for whom"},
                           .stats = {5000000, 16, LOCKS, 80000000, 60.5}};
  report.lock_order = (struct picture){.kind = PICTURE_LOCK_ORDER,
                                       .title = "Lock order",
                                       .nodes = it.nodes,
                                       .node_count = LOCKS,
                                       .edges = it.edges,
                                       .edge_count = it.edge_count};
  return &report;
}

/* The same as drawn by default: only what takes part in findings. */
const struct report *sample_many_folded(void) {
  static struct picture_node nodes[LOCKS];
  static struct picture_edge edges[EDGES];
  static uint32_t place[LOCKS];
  static struct report report;
  report = *sample_many();
  struct picture *picture = &report.lock_order;
  size_t node_count = 0, edge_count = 0;
  for (size_t i = 0; i < picture->node_count; i++)
    if (picture->nodes[i].cycle != 0) {
      place[i] = (uint32_t)node_count;
      nodes[node_count++] = picture->nodes[i];
    }
  for (size_t i = 0; i < picture->edge_count; i++)
    if (picture->edges[i].cycle != 0) {
      edges[edge_count] = picture->edges[i];
      edges[edge_count].from = place[picture->edges[i].from];
      edges[edge_count++].to = place[picture->edges[i].to];
    }
  picture->hidden_nodes = picture->node_count - node_count;
  picture->hidden_edges = picture->edge_count - edge_count;
  *picture = (struct picture){.kind = PICTURE_LOCK_ORDER,
                              .title = "Lock order",
                              .nodes = nodes,
                              .node_count = node_count,
                              .edges = edges,
                              .edge_count = edge_count,
                              .hidden_nodes = picture->hidden_nodes,
                              .hidden_edges = picture->hidden_edges};
  return &report;
}
