/* SPDX-License-Identifier: MIT
 *
 * Pictures cut into panels: cases by hand, and what must hold for any picture on many random ones. One thread.
 */
#include "panel.h"
#include "sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct report no_report = {.trace = ""};

static const struct picture_edge *edge_of(const struct panels *panels, uint32_t line) {
  return panels->lines[line].edge;
}

/* A ring's lines lead round its nodes, each once. */
static void expect_ring(const struct panels *panels, const struct panel *panel) {
  assert_true(panel->ring_count >= 1 && panel->ring_count <= panel->node_count &&
              panel->ring_count <= panel->line_count);
  for (size_t i = 0; i < panel->ring_count; i++) {
    const struct picture_edge *edge = edge_of(panels, panel->lines[i]);
    assert_int_equal(edge->from, panel->nodes[i]);
    assert_int_equal(edge->to, panel->nodes[(i + 1) % panel->ring_count]);
  }
}

static void expect_whole(const struct picture *picture, const struct panels *panels) {
  bool *nodes = calloc(picture->node_count + 1, sizeof *nodes), *lines = calloc(panels->line_count + 1, sizeof *lines);
  bool *own = calloc(picture->node_count + 1, sizeof *own);
  size_t edges = 0;
  for (size_t i = 0; i < panels->line_count; i++)
    edges += panels->lines[i].count;
  assert_int_equal(edges, picture->edge_count);
  for (size_t i = 0; i < panels->count; i++) {
    const struct panel *panel = &panels->items[i];
    for (size_t k = 0; k < panel->node_count; k++) {
      assert_false(own[panel->nodes[k]]); /* a node stands once in a panel */
      own[panel->nodes[k]] = nodes[panel->nodes[k]] = true;
    }
    for (size_t k = 0; k < panel->line_count; k++) {
      lines[panel->lines[k]] = true;
      assert_true(own[edge_of(panels, panel->lines[k])->from] && own[edge_of(panels, panel->lines[k])->to]);
    }
    if (panel->kind == PANEL_RING)
      expect_ring(panels, panel);
    for (size_t k = 0; k < panel->node_count; k++)
      own[panel->nodes[k]] = false;
  }
  for (size_t i = 0; i < picture->node_count; i++)
    assert_true(nodes[i]);
  for (size_t i = 0; i < panels->line_count; i++)
    assert_true(lines[i]);
  free(nodes);
  free(lines);
  free(own);
}

static void the_samples_have_the_panels_expected(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t panels, rings, ring; /* ring: nodes of the first */
  } expected[] = {{"empty", 0, 0, 0},
                  {"two-locks", 1, 1, 2},
                  {"three-ring", 2, 2, 3},
                  {"gate", 3, 2, 2},
                  {"many-folded", 12, 12, 2}};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    const struct report *report = sample_report(expected[i].name);
    struct panels panels;
    size_t rings = 0;
    assert_int_equal(panels_split(report, &report->lock_order, &panels), 0);
    expect_whole(&report->lock_order, &panels);
    for (size_t k = 0; k < panels.count; k++)
      rings += panels.items[k].kind == PANEL_RING;
    assert_int_equal(panels.count, expected[i].panels);
    assert_int_equal(rings, expected[i].rings);
    if (rings > 0)
      assert_int_equal(panels.items[0].ring_count, expected[i].ring);
    panels_free(&panels);
  }
}

static void a_gate_stands_in_the_middle(void **state) {
  (void)state;
  const struct report *report = sample_report("gate");
  struct panels panels;
  assert_int_equal(panels_split(report, &report->lock_order, &panels), 0);
  const struct panel *panel = &panels.items[1];
  assert_int_equal(panel->kind, PANEL_RING);
  assert_int_equal(panel->cycle, 0);
  assert_int_equal(panel->ring_count, 2);
  assert_int_equal(panel->node_count, 3);
  assert_int_equal(report->lock_order.nodes[panel->nodes[2]].emphasis, EMPHASIS_GATE);
  panels_free(&panels);
}

#define EDGE(from, to, cycle)                                                                                          \
  { (from), (to), RELATION_ORDER, EMPHASIS_CYCLE, (cycle), "", "", 1 }

/* A-B-C-A is finding 1; B-C-D-B is finding 2, whose edge from B to C carries the number of finding 1. */
static void a_shared_edge_closes_both_rings(void **state) {
  (void)state;
  static const struct picture_node nodes[4] = {{.label = "a"}, {.label = "b"}, {.label = "c"}, {.label = "d"}};
  static const struct picture_edge edges[] = {EDGE(0, 1, 1), EDGE(1, 2, 1), EDGE(2, 0, 1), EDGE(2, 3, 2),
                                              EDGE(3, 1, 2)};
  const struct picture picture = {PICTURE_LOCK_ORDER, "", nodes, 4, edges, 5, 0, 0, NULL};
  struct panels panels;
  assert_int_equal(panels_split(&no_report, &picture, &panels), 0);
  expect_whole(&picture, &panels);
  assert_int_equal(panels.count, 2);
  assert_int_equal(panels.items[1].kind, PANEL_RING);
  assert_int_equal(panels.items[1].cycle, 2);
  assert_int_equal(panels.items[1].ring_count, 3);
  panels_free(&panels);
}

/* Every edge carries the number of finding 1; finding 2 is found by the names of its locks. */
static void a_finding_without_edges_is_found_by_its_locks(void **state) {
  (void)state;
  static const struct picture_node nodes[3] = {{.label = "a"}, {.label = "b"}, {.label = "c"}};
  static const struct picture_edge edges[] = {EDGE(0, 1, 1), EDGE(1, 2, 1), EDGE(2, 0, 1), EDGE(1, 0, 1)};
  static const struct finding_object objects[] = {{.label = "b"}, {.label = "a"}};
  static const struct finding findings[] = {
      {.rule = RULE_LOCK_ORDER_CYCLE, .title = "", .reason = "", .message = "", .help = ""},
      {.rule = RULE_LOCK_ORDER_CYCLE, .title = "", .objects = objects, .object_count = 2}};
  const struct report report = {.trace = "", .findings = findings, .finding_count = 2};
  const struct picture picture = {PICTURE_LOCK_ORDER, "", nodes, 3, edges, 4, 0, 0, NULL};
  struct panels panels;
  assert_int_equal(panels_split(&report, &picture, &panels), 0);
  expect_whole(&picture, &panels);
  assert_int_equal(panels.count, 2);
  assert_int_equal(panels.items[0].kind, PANEL_LAYERED); /* not one simple cycle */
  assert_int_equal(panels.items[1].kind, PANEL_RING);
  assert_int_equal(panels.items[1].ring_count, 2);
  panels_free(&panels);
}

static uint32_t draw(uint32_t *seed, uint32_t range) {
  *seed = *seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)*seed * range) >> 32);
}

#define MOST_NODES 14u
#define MOST_EDGES 40u

static void any_picture_is_drawn_whole(void **state) {
  (void)state;
  uint32_t seed = 20240611, rings = 0;
  print_message("seed %u\n", seed);
  for (size_t round = 0; round < 5000; round++) {
    struct picture_node nodes[MOST_NODES];
    struct picture_edge edges[MOST_EDGES];
    uint32_t node_count = 1 + draw(&seed, MOST_NODES), edge_count = draw(&seed, MOST_EDGES);
    for (size_t i = 0; i < node_count; i++)
      nodes[i] = (struct picture_node){SHAPE_LOCK, EMPHASIS_NONE, 0, "", "", 1};
    for (size_t i = 0; i < edge_count; i++) {
      enum picture_emphasis emphasis = (enum picture_emphasis)draw(&seed, 4);
      edges[i] = (struct picture_edge){draw(&seed, node_count),
                                       draw(&seed, node_count),
                                       RELATION_ORDER,
                                       emphasis,
                                       emphasis == EMPHASIS_CYCLE ? (int32_t)draw(&seed, 6) : 0,
                                       "",
                                       "",
                                       1};
    }
    const struct picture picture = {PICTURE_LOCK_ORDER, "", nodes, node_count, edges, edge_count, 0, 0, NULL};
    struct panels panels;
    assert_int_equal(panels_split(&no_report, &picture, &panels), 0);
    expect_whole(&picture, &panels);
    for (size_t i = 0; i < panels.count; i++)
      rings += panels.items[i].kind == PANEL_RING;
    panels_free(&panels);
  }
  assert_true(rings > 1000); /* else the random pictures tested nothing */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_samples_have_the_panels_expected),
      cmocka_unit_test(a_gate_stands_in_the_middle),
      cmocka_unit_test(a_shared_edge_closes_both_rings),
      cmocka_unit_test(a_finding_without_edges_is_found_by_its_locks),
      cmocka_unit_test(any_picture_is_drawn_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
