/* SPDX-License-Identifier: MIT
 *
 * How things look in a picture. Colours are Okabe and Ito's, which colour-blind people tell apart; no meaning hangs on
 * a colour alone: rings are numbered, gates have a double border, what is impossible is dashed. Any thread.
 */
#include "style.h"
#include "plain.h"
#include <stdlib.h>
#include <string.h>

#define LABEL_COLUMNS 34u
#define DETAIL_COLUMNS 60u
#define DETAIL_LINE 30u
#define EDGE_COLUMNS 40u
#define PHRASE_LINE 44u /* longer phrases take two lines */
#define EDGE_LABELS 3u  /* of a line that stands for many */
#define EXPLAINED_LINES 16u
#define CROWDED_LINES 60u
#define GATE_COLOUR "#007D5A"
#define FAINT_COLOUR "#767676"
#define TEXT_COLOUR "#222222"
#define PLAIN_COLOUR "#555555"

static const struct {
  const char *line, *tint;
} rings[] = {{"#D55E00", "#FDEBDF"}, {"#0072B2", "#E1EFF8"}, {"#A8447F", "#F8E9F2"},
             {"#8A6D00", "#FBF4D9"}, {"#56419B", "#ECE8F7"}, {"#3A3A3A", "#EEEEEE"}};
#define RINGS (sizeof rings / sizeof rings[0])

const char *style_colour(int32_t cycle) { return rings[cycle > 0 ? (size_t)(cycle - 1) % RINGS : 0].line; }
const char *style_tint(int32_t cycle) { return rings[cycle > 0 ? (size_t)(cycle - 1) % RINGS : 0].tint; }

/* Graphviz takes \N and its like, and entities such as &lt;, for more than text in every label and tooltip, and in some
 * of them twice: only something that is not seen (U+200B) between the two characters stops it for good. */
static void put_backslash(FILE *out, bool is_html, char next) {
  fputs(is_html ? "&#92;" : "\\\\", out);
  if (next != '\0' && strchr("NGEHTLlrn\\", next) != NULL)
    fputs("\xe2\x80\x8b", out);
}

static void put_escaped(FILE *out, const char *text, size_t columns, bool is_html) {
  char *safe = plain_copy(text, columns);
  for (const char *c = safe; c != NULL && *c != '\0'; c++)
    switch (*c) {
    case '"':
      fputs(is_html ? "&quot;" : "\\\"", out);
      break;
    case '\\':
      put_backslash(out, is_html, c[1]);
      break;
    case '&':
      fputs("&amp;", out);
      break;
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    default:
      fputc(*c, out);
    }
  free(safe);
}

static void put_quoted_part(FILE *out, const char *text) { put_escaped(out, text, 0, false); }

void style_quoted(FILE *out, const char *text, size_t columns) {
  fputc('"', out);
  put_escaped(out, text, columns, false);
  fputc('"', out);
}

void style_html(FILE *out, const char *text, size_t columns) { put_escaped(out, text, columns, true); }

void style_defaults(FILE *out) {
  static const char font[] = "fontname=\"DejaVu Sans,Verdana,sans-serif\"";
  fprintf(out,
          "  graph [%s, fontsize=11, bgcolor=white, outputorder=edgesfirst, forcelabels=true, charset=\"UTF-8\"];\n",
          font);
  fprintf(out, "  node [%s, fontsize=11, fontcolor=\"" TEXT_COLOUR "\", margin=\"0.14,0.07\", height=0.4];\n", font);
  fprintf(out, "  edge [%s, fontsize=9.5, fontcolor=\"" TEXT_COLOUR "\", arrowsize=0.9];\n", font);
}

static const char *shape_name(enum picture_shape shape) {
  static const char *const names[] = {"box", "ellipse", "box3d", "hexagon", "box"};
  return names[shape];
}

static const char *shape_class(enum picture_shape shape) {
  static const char *const names[] = {"lock", "thread", "process", "waitable", "deed"};
  return names[shape];
}

static const char *emphasis_class(enum picture_emphasis emphasis) {
  static const char *const names[] = {"plain", "cycle", "gate", "impossible"};
  return names[emphasis];
}

static void put_node_paint(FILE *out, const struct picture_node *node) {
  const char *rounded = node->shape == SHAPE_LOCK ? ",rounded" : "";
  if (node->emphasis == EMPHASIS_CYCLE)
    fprintf(out, "style=\"filled%s\", color=\"%s\", fillcolor=\"%s\", penwidth=2.2", rounded, style_colour(node->cycle),
            style_tint(node->cycle));
  else if (node->emphasis == EMPHASIS_GATE)
    fputs("style=filled, color=\"" GATE_COLOUR "\", fillcolor=\"#E0F3EC\", penwidth=1.6, peripheries=2", out);
  else if (node->emphasis == EMPHASIS_IMPOSSIBLE)
    fprintf(out, "style=\"filled,dashed%s\", color=\"" FAINT_COLOUR "\", fillcolor=white, penwidth=1.4", rounded);
  else
    fprintf(out, "style=\"filled%s\", color=\"#999999\", fillcolor=white", rounded);
}

/* In two lines when it is long, so that it does not make the node wide. */
static void put_detail(FILE *out, const char *detail) {
  char *safe = plain_copy(detail, DETAIL_COLUMNS);
  size_t size = safe == NULL ? 0 : strlen(safe), middle = size;
  for (size_t i = 0; size > DETAIL_LINE && i < size; i++)
    if (safe[i] == ' ' && labs(2 * (long)i - (long)size) < labs(2 * (long)middle - (long)size))
      middle = i;
  fputs("<BR/><FONT POINT-SIZE=\"9\" COLOR=\"#555555\">", out);
  if (middle < size) {
    safe[middle] = '\0';
    style_html(out, safe, 0);
    fputs("<BR/>", out);
    style_html(out, safe + middle + 1, 0);
  } else if (size > 0)
    style_html(out, safe, 0);
  fputs("</FONT>", out);
  free(safe);
}

static void put_node_label(FILE *out, const struct picture_node *node, bool has_badge) {
  fputs("label=<", out);
  if (has_badge && node->cycle > 0)
    fprintf(out, "<FONT COLOR=\"%s\"><B>[%d] </B></FONT>", style_colour(node->cycle), node->cycle);
  fputs("<B>", out);
  style_html(out, node->label[0] == '\0' ? "?" : node->label, LABEL_COLUMNS);
  fputs("</B>", out);
  if (node->folded > 1)
    fprintf(out, " ×%u", node->folded);
  if (strncmp(node->label, node->detail, strlen(node->detail)) != 0) /* else it says nothing new */
    put_detail(out, node->detail);
  fputc('>', out);
}

void style_node(FILE *out, const struct picture *picture, uint32_t index, bool has_badge) {
  const struct picture_node *node = &picture->nodes[index];
  fprintf(out, "shape=%s, ", shape_name(node->shape));
  if (picture->lanes != NULL)
    fprintf(out, "group=lane%u, ", picture->lanes[index]);
  put_node_paint(out, node);
  fputs(", ", out);
  put_node_label(out, node, has_badge);
  fputs(", tooltip=\"", out);
  put_quoted_part(out, node->label);
  if (node->detail[0] != '\0') {
    fputs("\\n", out);
    put_quoted_part(out, node->detail);
  }
  if (node->folded > 1)
    fprintf(out, "\\nstands for %u objects", node->folded);
  fprintf(out, "\", class=\"%s %s\"", shape_class(node->shape), emphasis_class(node->emphasis));
}

bool style_is_crowded(const struct panels *panels) { return panels->line_count > CROWDED_LINES; }

enum label_kind style_label(const struct panels *panels) {
  return panels->line_count > EXPLAINED_LINES ? LABEL_SHORT : LABEL_FULL;
}

static const char *relation_class(enum picture_relation relation) {
  static const char *const names[] = {"order", "waits", "held-by", "ended-by", "happens-before", "here", "next"};
  return names[relation];
}

static const char *relation_phrase(enum picture_relation relation) {
  static const char *const names[] = {"", "waits for", "held by", "could be ended by", "", "", ""};
  return names[relation];
}

static const char *line_colour(const struct line *line) {
  if (line->edge->relation == RELATION_NEXT)
    return "#C4C4C4";
  switch (line->edge->emphasis) {
  case EMPHASIS_CYCLE:
    return style_colour(line->edge->cycle);
  case EMPHASIS_GATE:
    return GATE_COLOUR;
  case EMPHASIS_IMPOSSIBLE:
    return FAINT_COLOUR;
  default:
    return PLAIN_COLOUR;
  }
}

static void put_line_paint(FILE *out, const struct line *line) {
  static const char *const widths[] = {"1.2", "2.4", "2.0", "1.2"}; /* by emphasis */
  enum picture_relation relation = line->edge->relation;
  bool is_dashed =
      line->edge->emphasis == EMPHASIS_IMPOSSIBLE || relation == RELATION_WAITS || relation == RELATION_HB_HERE;
  bool is_dotted = line->edge->emphasis == EMPHASIS_GATE || relation == RELATION_ENDED_BY;
  fprintf(out, "color=\"%s\", penwidth=%s, style=%s", line_colour(line), widths[line->edge->emphasis],
          is_dotted   ? "dotted"
          : is_dashed ? "dashed"
                      : "solid");
  if (relation == RELATION_HELD_BY || relation == RELATION_ENDED_BY)
    fputs(", arrowhead=diamond", out);
  if (relation == RELATION_NEXT)
    fputs(", arrowhead=none", out);
}

/* "held A, took B": a picture that somebody sees first says in words what an arrow means. A gate's arrows have no room
 * for it. */
static bool put_phrase(FILE *out, const struct panels *panels, const struct line *line, enum label_kind kind) {
  const char *phrase = relation_phrase(line->edge->relation);
  bool is_told = kind == LABEL_FULL && line->edge->relation == RELATION_ORDER &&
                 (line->edge->emphasis == EMPHASIS_CYCLE || line->edge->emphasis == EMPHASIS_IMPOSSIBLE);
  if (phrase[0] == '\0' && !is_told)
    return false;
  fprintf(out, "<FONT COLOR=\"%s\">%s", line_colour(line), phrase);
  if (is_told) {
    const char *from = panels->picture->nodes[line->edge->from].label,
               *to = panels->picture->nodes[line->edge->to].label;
    fputs("held ", out);
    style_html(out, from, LABEL_COLUMNS);
    fputs(plain_columns(from) + plain_columns(to) > PHRASE_LINE ? ",<BR/>took " : ", took ", out);
    style_html(out, to, LABEL_COLUMNS);
  }
  fputs("</FONT>", out);
  return true;
}

/* Graphviz sets labels so close to lines that they touch: a cell around them keeps them apart. */
void style_line_label(FILE *out, const struct panels *panels, uint32_t index, enum label_kind kind) {
  const struct line *line = &panels->lines[index];
  const struct picture_edge *edges = panels->picture->edges;
  fputs("<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\"><TR><TD>", out);
  const char *between = put_phrase(out, panels, line, kind) ? "<BR/>" : "";
  for (size_t i = 0; i < line->count && i < EDGE_LABELS; i++) {
    if (edges[line->edges[i]].label[0] == '\0')
      continue;
    fputs(between, out);
    style_html(out, edges[line->edges[i]].label, EDGE_COLUMNS);
    between = "<BR/>";
  }
  if (line->count > EDGE_LABELS)
    fprintf(out, "%s+ %zu more", between, line->count - EDGE_LABELS);
  fputs("</TD></TR></TABLE>>", out);
}

static void put_edge_tooltip(FILE *out, const struct panels *panels, const struct line *line) {
  const struct picture_edge *edges = panels->picture->edges;
  fputc('"', out);
  put_quoted_part(out, panels->picture->nodes[line->edge->from].label);
  fputs(" → ", out);
  put_quoted_part(out, panels->picture->nodes[line->edge->to].label);
  for (size_t i = 0; i < line->count; i++) {
    const struct picture_edge *edge = &edges[line->edges[i]];
    if (edge->relation == RELATION_NEXT)
      continue;
    fputs("\\n", out);
    put_quoted_part(out, edge->detail[0] != '\0' ? edge->detail : edge->label);
    if (edge->count > 1)
      fprintf(out, " (%llu times)", (unsigned long long)edge->count);
  }
  fputc('"', out);
}

void style_line(FILE *out, const struct panels *panels, uint32_t index, enum label_kind kind) {
  const struct line *line = &panels->lines[index];
  put_line_paint(out, line);
  fputs(", edgetooltip=", out);
  put_edge_tooltip(out, panels, line);
  if (kind != LABEL_NONE) {
    fputs(", labeltooltip=", out);
    put_edge_tooltip(out, panels, line);
    fputs(", label=", out);
    style_line_label(out, panels, index, kind);
  }
  fprintf(out, ", class=\"%s %s\"", relation_class(line->edge->relation), emphasis_class(line->edge->emphasis));
}
