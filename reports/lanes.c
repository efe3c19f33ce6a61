/* SPDX-License-Identifier: MIT
 *
 * Lays out swim lanes: a column for each thread with its head on top, below it what it did, each deed in a row of its
 * own because each has its place in time, which leaves rows free for arrows. Any thread.
 */
#include "scene.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LANE_GAP 64.0
#define ROW_GAP 10.0
#define ARROW_HEAD 7.0

struct lane {
  double left, right;
};

/* From the widths of what stands in them; NULL: out of memory. */
static struct lane *place_lanes(const struct scene *scene, size_t count, double *width) {
  const struct picture *picture = scene->panels.picture;
  struct lane *lanes = calloc(count + 1, sizeof *lanes);
  if (lanes == NULL)
    return NULL;
  for (size_t i = 0; i < picture->node_count; i++)
    lanes[picture->lanes[i]].right = fmax(lanes[picture->lanes[i]].right, scene->node_sizes[i].x);
  *width = 0;
  for (size_t i = 0; i < count; i++) {
    lanes[i].left = *width + (i == 0 ? 0 : LANE_GAP);
    *width = lanes[i].right += lanes[i].left;
  }
  return lanes;
}

static void place_nodes(const struct scene *scene, const struct lane *lanes, size_t count, struct layout *layout) {
  const struct picture *picture = scene->panels.picture;
  double head = 0, depth = 0;
  for (size_t i = 0; i < count; i++)
    head = fmax(head, scene->node_sizes[i].y);
  for (size_t i = 0; i < picture->node_count; i++) {
    const struct lane *lane = &lanes[picture->lanes[i]];
    double height = i < count ? head : scene->node_sizes[i].y;
    if (i >= count || i == 0)
      depth += height + (i == 0 ? 0 : ROW_GAP);
    layout->nodes[i] = (struct spot){(lane->left + lane->right) / 2, height / 2 - depth};
  }
  layout->height = depth;
  for (size_t i = 0; i < picture->node_count; i++)
    layout->nodes[i].y += depth;
}

static bool draw_down(struct curve *curve, struct spot from, struct spot from_size, struct spot to,
                      struct spot to_size) {
  if (!curve_reserve(curve, 4))
    return false;
  struct spot begin = {from.x, from.y - from_size.y / 2}, end = {to.x, to.y + to_size.y / 2};
  curve->points[0] = curve->points[1] = begin;
  curve->points[2] = curve->points[3] = curve->tip = end;
  return true;
}

/* Along its own row, in which nothing else stands, to the gap before the other's lane, and in the gap to the other's
 * row. `gap`: where that begins. */
static bool draw_across(struct curve *curve, struct spot begin, double gap, struct spot end) {
  if (!curve_reserve(curve, 7))
    return false;
  double way = end.x > begin.x ? 1 : -1, middle = (gap + end.x) / 2;
  struct spot back = {end.x - way * ARROW_HEAD, end.y}, turn = {gap, begin.y};
  curve->points[0] = curve->points[1] = begin;
  curve->points[2] = curve->points[3] = turn;
  curve->points[4] = (struct spot){middle, begin.y};
  curve->points[5] = (struct spot){middle, end.y};
  curve->points[6] = back;
  curve->tip = end;
  return true;
}

static bool draw_line(const struct scene *scene, const struct lane *lanes, const struct layout *layout,
                      const struct picture_edge *edge, struct curve *curve) {
  const uint32_t *lane_of = scene->panels.picture->lanes;
  struct spot from = layout->nodes[edge->from], from_size = scene->node_sizes[edge->from];
  struct spot to = layout->nodes[edge->to], to_size = scene->node_sizes[edge->to];
  if (lane_of[edge->from] == lane_of[edge->to])
    return draw_down(curve, from, from_size, to, to_size);
  bool is_right = lane_of[edge->to] > lane_of[edge->from];
  double way = is_right ? 1 : -1;
  double gap = is_right ? lanes[lane_of[edge->to] - 1].right : lanes[lane_of[edge->to] + 1].left;
  return draw_across(curve, (struct spot){from.x + way * from_size.x / 2, from.y}, gap,
                     (struct spot){to.x - way * to_size.x / 2, to.y});
}

int lanes_layout(const struct scene *scene, const struct panel *panel, struct layout *layout) {
  const struct picture *picture = scene->panels.picture;
  size_t count = 0;
  for (size_t i = 0; i < picture->node_count; i++)
    count = picture->lanes[i] >= count ? picture->lanes[i] + 1 : count;
  struct lane *lanes = place_lanes(scene, count, &layout->width);
  if (lanes == NULL)
    return ENOMEM;
  place_nodes(scene, lanes, count, layout);
  bool is_good = true;
  for (size_t i = 0; is_good && i < panel->line_count; i++)
    is_good = draw_line(scene, lanes, layout, scene->panels.lines[panel->lines[i]].edge, &layout->curves[i]);
  free(lanes);
  return is_good ? 0 : ENOMEM;
}
