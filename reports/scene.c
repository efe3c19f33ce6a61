/* SPDX-License-Identifier: MIT
 *
 * Makes a scene: measures every text, lays out every panel, and sets the panels in rows, findings first. Graphviz
 * measures; its process-wide state means one thread at a time.
 */
#include "scene.h"
#include "whole.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PANEL_GAP 18.0
#define ROW_SHAPE 2.2 /* width to height that rows of panels aim at */
#define HEAD_GAP 10.0

bool curve_reserve(struct curve *curve, size_t count) {
  curve->points = calloc(count, sizeof *curve->points);
  curve->count = curve->points == NULL ? 0 : count;
  return curve->points != NULL;
}

static void shift(struct spot *spot, double left, double bottom) {
  spot->x -= left;
  spot->y -= bottom;
}

void layout_shift(struct layout *layout, const struct panel *panel, double left, double bottom) {
  for (size_t i = 0; i < panel->node_count; i++)
    shift(&layout->nodes[i], left, bottom);
  for (size_t i = 0; i < panel->line_count; i++) {
    for (size_t k = 0; k < layout->curves[i].count; k++)
      shift(&layout->curves[i].points[k], left, bottom);
    shift(&layout->curves[i].tip, left, bottom);
    shift(&layout->curves[i].label, left, bottom);
  }
}

enum label_kind scene_label(const struct panels *panels, const struct panel *panel, uint32_t line) {
  if (panel->kind == PANEL_LANES) /* the deeds at both ends tell enough */
    return LABEL_NONE;
  if (panel->is_core)
    return style_label(panels);
  return panels->lines[line].edge->emphasis == EMPHASIS_NONE && style_is_crowded(panels) ? LABEL_NONE : LABEL_SHORT;
}

/* Every text as a node at the same place: only the sizes are wanted. */
static void write_measure(const struct scene *scene, FILE *out) {
  const struct panels *panels = &scene->panels;
  fputs("digraph {\n  graph [inputscale=72];\n", out);
  style_defaults(out);
  for (size_t i = 0; i < panels->picture->node_count; i++) {
    fprintf(out, "  n%zu [pos=\"0,0\", ", i);
    style_node(out, panels->picture, (uint32_t)i, panels->picture->lanes != NULL);
    fputs("];\n", out);
  }
  fputs("  node [pos=\"0,0\", shape=none, margin=\"0.06,0.03\", height=0, width=0, fontsize=9.5];\n", out);
  for (size_t i = 0; i < panels->line_count; i++) {
    fprintf(out, "  l%zu [label=", i);
    style_line_label(out, panels, (uint32_t)i, style_label(panels));
    fputs("];\n", out);
  }
  fputs("  node [fontsize=11];\n", out);
  for (size_t i = 0; i < panels->count; i++) {
    fprintf(out, "  p%zu [label=", i);
    style_panel_title(out, scene->report, panels, &panels->items[i]);
    fputs("];\n", out);
  }
  fputs("  h0 [label=", out);
  style_heading(out, scene->report, panels);
  fputs("];\n  g0 [label=", out);
  style_legend(out, panels);
  fputs("];\n}\n", out);
}

static struct spot size_of(Agraph_t *graph, char kind, size_t number) {
  char name[32];
  snprintf(name, sizeof name, "%c%zu", kind, number);
  Agnode_t *node = agnode(graph, name, 0);
  return (struct spot){ND_width(node) * 72, ND_height(node) * 72};
}

static void read_measure(struct scene *scene, Agraph_t *graph) {
  for (size_t i = 0; i < scene->panels.picture->node_count; i++)
    scene->node_sizes[i] = size_of(graph, 'n', i);
  for (size_t i = 0; i < scene->panels.line_count; i++)
    scene->label_sizes[i] = size_of(graph, 'l', i);
  for (size_t i = 0; i < scene->panels.count; i++)
    scene->placed[i].title = size_of(graph, 'p', i);
  scene->heading = size_of(graph, 'h', 0);
  scene->legend = size_of(graph, 'g', 0);
}

static int measure(struct engine *engine, struct scene *scene) {
  struct whole text;
  Agraph_t *graph;
  int error = whole_begin(&text);
  if (error != 0)
    return error;
  write_measure(scene, text.stream);
  error = whole_end(&text);
  if (error != 0)
    return error;
  error = engine_layout(engine, text.bytes, "nop2", &graph);
  free(text.bytes);
  if (error != 0)
    return error;
  read_measure(scene, graph);
  engine_drop(engine, graph);
  return 0;
}

/* Nodes in rows, as many beside each other as make a wide page. */
int grid_layout(const struct scene *scene, const struct panel *panel, struct layout *layout) {
  struct spot cell = {0, 0};
  for (size_t i = 0; i < panel->node_count; i++) {
    cell.x = fmax(cell.x, scene->node_sizes[panel->nodes[i]].x + 14);
    cell.y = fmax(cell.y, scene->node_sizes[panel->nodes[i]].y + 12);
  }
  size_t columns = (size_t)ceil(sqrt((double)panel->node_count * ROW_SHAPE * cell.y / cell.x));
  size_t rows = (panel->node_count + columns - 1) / columns;
  columns = columns < panel->node_count ? columns : panel->node_count;
  for (size_t i = 0; i < panel->node_count; i++) {
    size_t column = i % columns, row = i / columns;
    layout->nodes[i] = (struct spot){((double)column + 0.5) * cell.x, ((double)(rows - 1 - row) + 0.5) * cell.y};
  }
  layout->width = (double)columns * cell.x;
  layout->height = (double)rows * cell.y;
  return 0;
}

static int lay_out(struct engine *engine, struct scene *scene, size_t i) {
  const struct panel *panel = &scene->panels.items[i];
  struct placed *placed = &scene->placed[i];
  struct layout *layout = &placed->layout;
  layout->nodes = calloc(panel->node_count + 1, sizeof *layout->nodes);
  layout->curves = calloc(panel->line_count + 1, sizeof *layout->curves);
  if (layout->nodes == NULL || layout->curves == NULL)
    return ENOMEM;
  int error = panel->kind == PANEL_RING      ? ring_layout(scene, panel, layout)
              : panel->kind == PANEL_LANES   ? lanes_layout(scene, panel, layout)
              : panel->kind == PANEL_LAYERED ? layered_layout(engine, scene, panel, layout)
                                             : grid_layout(scene, panel, layout);
  placed->width = fmax(layout->width, placed->title.x) + 2 * PANEL_PAD;
  placed->height = layout->height + placed->title.y + 2.5 * PANEL_PAD;
  return error;
}

/* Rows from the top; within a row panels hang from its upper edge. Coordinates grow upwards, so the first pass goes
 * down from 0 and the second lifts everything. */
static void pack(struct scene *scene) {
  size_t count = scene->panels.count;
  double area = 0, limit = fmax(scene->heading.x, scene->legend.x), x = 0, y = 0, row = 0;
  for (size_t i = 0; i < count; i++) {
    area += (scene->placed[i].width + PANEL_GAP) * (scene->placed[i].height + PANEL_GAP);
    limit = fmax(limit, scene->placed[i].width);
  }
  limit = fmax(limit, sqrt(area * ROW_SHAPE));
  for (size_t i = 0; i < count; i++) {
    struct placed *placed = &scene->placed[i];
    if (x > 0 && x + placed->width > limit) {
      y -= row + PANEL_GAP;
      x = row = 0;
    }
    placed->left = x;
    placed->bottom = y - placed->height;
    x += placed->width + PANEL_GAP;
    row = fmax(row, placed->height);
    scene->width = fmax(scene->width, x - PANEL_GAP);
  }
  double depth = row - y;
  for (size_t i = 0; i < count; i++)
    scene->placed[i].bottom += depth;
  bool has_legend = scene->panels.picture->node_count > 0;
  scene->width = fmax(scene->width, fmax(scene->heading.x, has_legend ? scene->legend.x : 0));
  scene->height = depth + scene->heading.y + (has_legend ? scene->legend.y + 2 * HEAD_GAP : 0);
}

int scene_make(struct engine *engine, const struct report *report, const struct picture *picture, struct scene *scene) {
  *scene = (struct scene){.report = report};
  int error = panels_split(report, picture, &scene->panels);
  if (error != 0)
    return error;
  scene->node_sizes = calloc(picture->node_count + 1, sizeof *scene->node_sizes);
  scene->label_sizes = calloc(scene->panels.line_count + 1, sizeof *scene->label_sizes);
  scene->placed = calloc(scene->panels.count + 1, sizeof *scene->placed);
  if (scene->node_sizes == NULL || scene->label_sizes == NULL || scene->placed == NULL)
    return ENOMEM;
  error = measure(engine, scene);
  for (size_t i = 0; error == 0 && i < scene->panels.count; i++)
    error = lay_out(engine, scene, i);
  if (error == 0)
    pack(scene);
  return error;
}

void scene_free(struct scene *scene) {
  for (size_t i = 0; scene->placed != NULL && i < scene->panels.count; i++) {
    struct layout *layout = &scene->placed[i].layout;
    for (size_t k = 0; layout->curves != NULL && k < scene->panels.items[i].line_count; k++)
      free(layout->curves[k].points);
    free(layout->curves);
    free(layout->nodes);
  }
  free(scene->placed);
  free(scene->node_sizes);
  free(scene->label_sizes);
  panels_free(&scene->panels);
}
