/* SPDX-License-Identifier: MIT
 *
 * The geometry of rings: nothing lies on anything else, whatever the sizes. One thread.
 */
#include "scene.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MOST 16u

static double draw(uint32_t *seed, double low, double high) {
  *seed = *seed * 1664525u + 1013904223u;
  return low + (high - low) * (double)*seed / 4294967296.0;
}

static void expect_apart(struct spot a, struct spot a_size, struct spot b, struct spot b_size) {
  assert_true(fabs(a.x - b.x) >= (a_size.x + b_size.x) / 2 || fabs(a.y - b.y) >= (a_size.y + b_size.y) / 2);
}

struct made {
  struct picture_node nodes[MOST];
  struct picture_edge edges[2 * MOST];
  struct line lines[2 * MOST];
  struct spot node_sizes[MOST], label_sizes[2 * MOST];
  uint32_t numbers[2 * MOST];
  struct picture picture;
  struct scene scene;
  struct panel panel;
};

/* A ring of `ring` nodes with `gates` locks in its middle, each of which points at two nodes of the ring. */
static void make(struct made *it, uint32_t ring, uint32_t gates, uint32_t *seed) {
  uint32_t lines = ring;
  *it = (struct made){0};
  for (uint32_t i = 0; i < ring + gates; i++) {
    it->nodes[i].shape = draw(seed, 0, 1) < 0.5 ? SHAPE_LOCK : SHAPE_THREAD;
    it->node_sizes[i] = (struct spot){draw(seed, 40, 320), draw(seed, 20, 50)};
  }
  for (uint32_t i = 0; i < ring; i++)
    it->edges[i] = (struct picture_edge){.from = i, .to = (i + 1) % ring};
  for (uint32_t i = 0; i < gates; i++) {
    it->edges[lines++] = (struct picture_edge){.from = ring + i, .to = 0};
    if (ring > 1)
      it->edges[lines++] = (struct picture_edge){.from = ring + i, .to = 1};
  }
  for (uint32_t i = 0; i < lines; i++) {
    it->numbers[i] = i;
    it->edges[i].emphasis = EMPHASIS_CYCLE;
    it->lines[i] = (struct line){&it->edges[i], &it->numbers[i], 1};
    it->label_sizes[i] = (struct spot){draw(seed, 20, i < ring ? 300 : 90), draw(seed, 12, 40)};
  }
  it->picture = (struct picture){.nodes = it->nodes, .node_count = ring + gates, .edges = it->edges};
  it->scene = (struct scene){.panels = {.picture = &it->picture, .lines = it->lines, .line_count = lines},
                             .node_sizes = it->node_sizes,
                             .label_sizes = it->label_sizes};
  it->panel = (struct panel){PANEL_RING, true, 1, it->numbers, ring + gates, ring, it->numbers, lines};
}

static void expect_layout(const struct made *it, const struct layout *layout) {
  const struct panel *panel = &it->panel;
  for (size_t i = 0; i < panel->node_count; i++) {
    struct spot at = layout->nodes[i], size = it->node_sizes[i];
    assert_true(at.x - size.x / 2 >= -0.01 && at.x + size.x / 2 <= layout->width + 0.01);
    assert_true(at.y - size.y / 2 >= -0.01 && at.y + size.y / 2 <= layout->height + 0.01);
    for (size_t k = i + 1; k < panel->node_count; k++)
      expect_apart(at, size, layout->nodes[k], it->node_sizes[k]);
    for (size_t k = 0; k < panel->line_count; k++)
      expect_apart(at, size, layout->curves[k].label, it->label_sizes[k]);
  }
  for (size_t i = 0; i < panel->line_count; i++) {
    const struct curve *curve = &layout->curves[i];
    assert_int_equal(curve->count % 3, 1);
    assert_true(isfinite(curve->tip.x) && isfinite(curve->tip.y));
    for (size_t k = i + 1; k < panel->line_count; k++)
      expect_apart(curve->label, it->label_sizes[i], layout->curves[k].label, it->label_sizes[k]);
  }
}

static void nothing_overlaps(void **state) {
  (void)state;
  uint32_t seed = 42;
  print_message("seed %u\n", seed);
  for (size_t round = 0; round < 300; round++) {
    static struct made it;
    uint32_t ring = 1 + (uint32_t)draw(&seed, 0, 10), gates = ring == 1 ? 0 : (uint32_t)draw(&seed, 0, 3);
    struct layout layout = {0};
    make(&it, ring, gates, &seed);
    layout.nodes = calloc(it.panel.node_count + 1, sizeof *layout.nodes);
    layout.curves = calloc(it.panel.line_count + 1, sizeof *layout.curves);
    assert_int_equal(ring_layout(&it.scene, &it.panel, &layout), 0);
    expect_layout(&it, &layout);
    for (size_t i = 0; i < it.panel.line_count; i++)
      free(layout.curves[i].points);
    free(layout.nodes);
    free(layout.curves);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_overlaps)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
