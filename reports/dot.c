/* SPDX-License-Identifier: MIT
 *
 * The picture as a Graphviz graph without positions: every node once, findings as clusters, for tools that lay it out
 * or work on it. `dot -Tsvg` draws it well. Any thread.
 */
#include "formats.h"
#include "picture.h"
#include "style.h"
#include "whole.h"
#include <errno.h>
#include <stdlib.h>

static void put_node(const struct panels *panels, uint32_t node, FILE *out) {
  fprintf(out, "  n%u [id=n%u, ", node, node);
  style_node(out, panels->picture, node, true);
  fputs("];\n", out);
}

/* The nodes of a panel that no earlier one had. */
static void put_panel(const struct report *report, const struct panels *panels, size_t i, bool *is_put, FILE *out) {
  const struct panel *panel = &panels->items[i];
  if (panel->is_core) {
    fprintf(out, "  subgraph cluster_p%zu {\n  graph [style=rounded, color=\"#B4B4B4\", labeljust=l, label=", i);
    style_panel_title(out, report, panels, panel);
    fputs("];\n", out);
  }
  for (size_t k = 0; k < panel->node_count; k++) {
    if (!is_put[panel->nodes[k]])
      put_node(panels, panel->nodes[k], out);
    is_put[panel->nodes[k]] = true;
  }
  fputs(panel->is_core ? "  }\n" : "", out);
}

static void put_graph(const struct report *report, const struct panels *panels, bool *is_put, FILE *out) {
  fputs("digraph snarl {\n", out);
  style_defaults(out);
  fputs("  graph [labelloc=t, labeljust=l, nodesep=0.5, ranksep=0.9, label=", out);
  style_heading(out, report, panels);
  fputs("];\n", out);
  for (size_t i = 0; i < panels->count; i++)
    put_panel(report, panels, i, is_put, out);
  for (size_t i = 0; i < panels->line_count; i++) {
    const struct picture_edge *edge = panels->lines[i].edge;
    fprintf(out, "  n%u -> n%u [id=e%zu, ", edge->from, edge->to, i);
    style_line(out, panels, (uint32_t)i,
               edge->relation == RELATION_NEXT || (edge->emphasis == EMPHASIS_NONE && style_is_crowded(panels))
                   ? LABEL_NONE
                   : style_label(panels));
    fputs("];\n", out);
  }
  if (panels->picture->node_count > 0) {
    fputs("  legend [id=legend, shape=none, tooltip=\" \", label=", out);
    style_legend(out, panels);
    fputs("];\n", out);
  }
  fputs("}\n", out);
}

int dot_render(const struct report *report, const struct render_options *options, FILE *out) {
  struct panels panels;
  struct whole text;
  int error = panels_split(report, picture_chosen(report, options), &panels);
  bool *is_put = calloc(panels.picture->node_count + 1, sizeof *is_put);
  error = is_put == NULL ? ENOMEM : error;
  if (error == 0)
    error = whole_begin(&text);
  if (error == 0) {
    put_graph(report, &panels, is_put, text.stream);
    error = whole_write(&text, out);
  }
  free(is_put);
  panels_free(&panels);
  return error;
}
