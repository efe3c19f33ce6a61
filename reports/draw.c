/* SPDX-License-Identifier: MIT
 *
 * Writes a scene as a graph in which every position is given, for Graphviz' "nop2", which only draws. A node that
 * stands in two panels becomes two. Positions are whole points: no locale changes how they are written. Any thread.
 */
#include "scene.h"
#include <math.h>

static void put_spot(FILE *out, double x, double y) { fprintf(out, "%ld,%ld", lround(x), lround(y)); }

static void draw_node(const struct scene *scene, size_t panel, size_t i, FILE *out) {
  const struct panel *it = &scene->panels.items[panel];
  const struct placed *placed = &scene->placed[panel];
  struct spot at = placed->layout.nodes[i];
  double left = placed->left + (placed->width - placed->layout.width) / 2;
  fprintf(out, "  p%zun%u [id=\"p%zun%u\", pos=\"", panel, it->nodes[i], panel, it->nodes[i]);
  put_spot(out, left + at.x, placed->bottom + PANEL_PAD + at.y);
  fputs("\", ", out);
  style_node(out, scene->panels.picture, it->nodes[i], !it->is_core);
  fputs("];\n", out);
}

static void draw_curve(const struct scene *scene, size_t panel, size_t i, FILE *out) {
  const struct panel *it = &scene->panels.items[panel];
  const struct placed *placed = &scene->placed[panel];
  const struct curve *curve = &placed->layout.curves[i];
  const struct picture_edge *edge = scene->panels.lines[it->lines[i]].edge;
  double left = placed->left + (placed->width - placed->layout.width) / 2, bottom = placed->bottom + PANEL_PAD;
  enum label_kind label = scene_label(&scene->panels, it, it->lines[i]);
  fprintf(out, "  p%zun%u -> p%zun%u [id=\"p%zue%u\", pos=\"e,", panel, edge->from, panel, edge->to, panel,
          it->lines[i]);
  put_spot(out, left + curve->tip.x, bottom + curve->tip.y);
  for (size_t k = 0; k < curve->count; k++) {
    fputc(' ', out);
    put_spot(out, left + curve->points[k].x, bottom + curve->points[k].y);
  }
  fputs("\", ", out);
  if (label != LABEL_NONE) {
    fputs("lp=\"", out);
    put_spot(out, left + curve->label.x, bottom + curve->label.y);
    fputs("\", ", out);
  }
  style_line(out, &scene->panels, it->lines[i], label);
  fputs("];\n", out);
}

/* A length in inches, as Graphviz wants the size of nodes. */
static void put_inches(FILE *out, double points) {
  long parts = lround(points * 10000 / 72);
  fprintf(out, "%ld.%04ld", parts / 10000, parts % 10000);
}

/* Hovering over a panel's ground shows what it is about. */
static void put_ground_tooltip(const struct scene *scene, const struct panel *panel, FILE *out) {
  bool is_finding = panel->cycle > 0 && (size_t)panel->cycle <= scene->report->finding_count;
  fputs("tooltip=", out);
  style_quoted(out, is_finding ? scene->report->findings[panel->cycle - 1].title : " ", 0);
}

/* Frames are nodes, drawn first: Graphviz draws clusters in an order that differs from run to run. */
static void draw_frame(const struct scene *scene, size_t panel, FILE *out) {
  const struct panel *it = &scene->panels.items[panel];
  const struct placed *placed = &scene->placed[panel];
  double top = placed->bottom + placed->height;
  fprintf(out, "  p%zu [id=p%zu, class=\"frame %s\", shape=box, style=\"rounded,filled\", fillcolor=\"#FCFCFC\", ",
          panel, panel,
          !it->is_core    ? "overview"
          : it->cycle > 0 ? "finding"
                          : "impossible");
  fprintf(out, "color=\"%s\", label=\"\", width=", it->is_core && it->cycle > 0 ? "#A0A0A0" : "#D4D4D4");
  put_inches(out, placed->width);
  fputs(", height=", out);
  put_inches(out, placed->height);
  fputs(", pos=\"", out);
  put_spot(out, placed->left + placed->width / 2, placed->bottom + placed->height / 2);
  fputs("\", ", out);
  put_ground_tooltip(scene, it, out);
  fprintf(out, "];\n  p%zutitle [id=p%zutitle, class=title, shape=none, margin=\"0.06,0.03\", pos=\"", panel, panel);
  put_spot(out, placed->left + PANEL_PAD / 2 + placed->title.x / 2, top - PANEL_PAD / 2 - placed->title.y / 2);
  fputs("\", ", out);
  put_ground_tooltip(scene, it, out);
  fputs(", label=", out);
  style_panel_title(out, scene->report, &scene->panels, it);
  fputs("];\n", out);
  for (size_t i = 0; i < it->node_count; i++)
    draw_node(scene, panel, i, out);
}

static void draw_head(const struct scene *scene, FILE *out) {
  double top = scene->height;
  fputs("  node [shape=none, style=\"\", margin=\"0.06,0.03\", height=0, width=0];\n  heading [id=heading, pos=\"",
        out);
  put_spot(out, scene->heading.x / 2, top - scene->heading.y / 2);
  fputs("\", tooltip=\" \", label=", out);
  style_heading(out, scene->report, &scene->panels);
  fputs("];\n", out);
  if (scene->panels.picture->node_count == 0)
    return;
  fputs("  legend [id=legend, pos=\"", out);
  put_spot(out, scene->legend.x / 2, top - scene->heading.y - 10 - scene->legend.y / 2);
  fputs("\", tooltip=\" \", label=", out);
  style_legend(out, &scene->panels);
  fputs("];\n", out);
}

void scene_draw(const struct scene *scene, unsigned dpi, FILE *out) {
  fputs("digraph snarl {\n  graph [layout=nop2, inputscale=72, pad=0.2];\n", out);
  if (dpi != 0)
    fprintf(out, "  graph [dpi=%u];\n", dpi);
  style_defaults(out);
  fputs("  graph [outputorder=nodesfirst];\n", out);
  for (size_t i = 0; i < scene->panels.count; i++)
    draw_frame(scene, i, out);
  for (size_t i = 0; i < scene->panels.count; i++)
    for (size_t k = 0; k < scene->panels.items[i].line_count; k++)
      draw_curve(scene, i, k, out);
  draw_head(scene, out);
  fputs("}\n", out);
}
