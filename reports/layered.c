/* SPDX-License-Identifier: MIT
 *
 * Lays out a panel by Graphviz' "dot": locks in the order in which they are taken, from left to right. Process-wide
 * state of Graphviz: one thread at a time.
 */
#include "scene.h"
#include "whole.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SMALL_LINES 100u
#define MOST_STRETCH 3.0

/* An edge carries its position in the panel as a comment, which Graphviz ignores. */
static void write_graph(const struct scene *scene, const struct panel *panel, const char *direction, FILE *out) {
  const struct panels *panels = &scene->panels;
  fprintf(out, "digraph {\n  graph [rankdir=%s];\n", direction);
  fputs("  graph [nodesep=0.3, ranksep=0.6, nslimit=4, nslimit1=4, mclimit=0.5];\n", out);
  style_defaults(out);
  for (size_t i = 0; i < panel->node_count; i++) {
    fprintf(out, "  n%u [", panel->nodes[i]);
    style_node(out, panels->picture, panel->nodes[i], !panel->is_core);
    fputs("];\n", out);
  }
  for (size_t i = 0; i < panel->line_count; i++) {
    const struct picture_edge *edge = panels->lines[panel->lines[i]].edge;
    fprintf(out, "  n%u -> n%u [comment=\"%zu\", ", edge->from, edge->to, i);
    style_line(out, panels, panel->lines[i], scene_label(panels, panel, panel->lines[i]));
    fputs("];\n", out);
  }
  fputs("}\n", out);
}

static struct spot spot_of(pointf point) { return (struct spot){point.x, point.y}; }

/* Graphviz gives up on an arrow now and then: it becomes a straight line between the two nodes. */
static bool read_curve(Agedge_t *edge, struct curve *curve) {
  splines *drawn = ED_spl(edge);
  bezier straight = {0};
  pointf ends[4] = {ND_coord(agtail(edge)), ND_coord(agtail(edge)), ND_coord(aghead(edge)), ND_coord(aghead(edge))};
  if (drawn == NULL || drawn->size == 0)
    straight = (bezier){.list = ends, .size = 4};
  const bezier *piece = drawn == NULL || drawn->size == 0 ? &straight : &drawn->list[drawn->size - 1];
  if (!curve_reserve(curve, (size_t)piece->size))
    return false;
  for (int i = 0; i < piece->size; i++)
    curve->points[i] = spot_of(piece->list[i]);
  curve->tip = piece->eflag != 0 ? spot_of(piece->ep) : curve->points[piece->size - 1];
  if (ED_label(edge) != NULL)
    curve->label = spot_of(ED_label(edge)->pos);
  return true;
}

static bool read_graph(Agraph_t *graph, const struct panel *panel, struct layout *layout) {
  char name[24], comment[] = "comment";
  for (size_t i = 0; i < panel->node_count; i++) {
    snprintf(name, sizeof name, "n%u", panel->nodes[i]);
    layout->nodes[i] = spot_of(ND_coord(agnode(graph, name, 0)));
  }
  for (Agnode_t *node = agfstnode(graph); node != NULL; node = agnxtnode(graph, node))
    for (Agedge_t *edge = agfstout(graph, node); edge != NULL; edge = agnxtout(graph, edge))
      if (!read_curve(edge, &layout->curves[strtoul(agget(edge, comment), NULL, 10)]))
        return false;
  boxf bounds = GD_bb(graph);
  layout->width = bounds.UR.x - bounds.LL.x;
  layout->height = bounds.UR.y - bounds.LL.y;
  layout_shift(layout, panel, bounds.LL.x, bounds.LL.y);
  return true;
}

static int lay_out(struct engine *engine, const struct scene *scene, const struct panel *panel, const char *direction,
                   Agraph_t **graph) {
  struct whole text;
  int error = whole_begin(&text);
  if (error != 0)
    return error;
  write_graph(scene, panel, direction, text.stream);
  error = whole_end(&text);
  if (error == 0)
    error = engine_layout(engine, text.bytes, "dot", graph);
  free(text.bytes);
  return error;
}

/* How many times as long as high, or the reverse. */
static double stretch(Agraph_t *graph) {
  boxf bounds = GD_bb(graph);
  double ratio = (bounds.UR.x - bounds.LL.x) / fmax(1, bounds.UR.y - bounds.LL.y);
  return ratio > 1 ? ratio : 1 / ratio;
}

/* Labels are wide and low, so that layers stand best side by side; a small picture that becomes a ribbon that way is
 * tried from top to bottom as well. */
int layered_layout(struct engine *engine, const struct scene *scene, const struct panel *panel, struct layout *layout) {
  Agraph_t *graph, *other;
  int error = lay_out(engine, scene, panel, "LR", &graph);
  if (error != 0)
    return error;
  if (panel->line_count <= SMALL_LINES && stretch(graph) > MOST_STRETCH &&
      lay_out(engine, scene, panel, "TB", &other) == 0) {
    bool is_better = stretch(other) < stretch(graph);
    engine_drop(engine, is_better ? graph : other);
    graph = is_better ? other : graph;
  }
  error = read_graph(graph, panel, layout) ? 0 : ENOMEM;
  engine_drop(engine, graph);
  return error;
}
