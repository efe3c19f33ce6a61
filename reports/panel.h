/* SPDX-License-Identifier: MIT
 *
 * A picture cut into panels: each finding a ring of its own, so that one look tells how many there are and what each
 * is, and everything around them an overview. A lock of two findings appears in both rings. One thread per picture.
 */
#ifndef SNARL_REPORTS_PANEL_H
#define SNARL_REPORTS_PANEL_H

#include <snarl/finding.h>

/* Edges of one kind between the same two nodes are drawn as one line. */
struct line {
  const struct picture_edge *edge; /* the first of them; all have its emphasis */
  const uint32_t *edges;           /* all: positions in picture->edges */
  size_t count;
};

enum panel_kind {
  PANEL_RING,    /* a simple cycle, clockwise; further nodes (gate locks) stand in its middle */
  PANEL_LAYERED, /* laid out by Graphviz */
  PANEL_GRID,    /* nodes without lines */
  PANEL_LANES,   /* everything, in columns: nodes[i] is node i */
};

struct panel {
  enum panel_kind kind;
  bool is_core;  /* shows what findings are made of, or a cycle that cannot happen */
  int32_t cycle; /* number of the finding it shows, 0: of none */
  uint32_t *nodes;
  size_t node_count, ring_count; /* nodes[0, ring_count) are the ring */
  uint32_t *lines;               /* positions in panels.lines; lines[i], i < ring_count, leaves nodes[i] for the next */
  size_t line_count;
};

struct panels {
  const struct picture *picture;
  struct line *lines;
  size_t line_count;
  uint32_t *edges; /* what the lines point into */
  struct panel *items;
  size_t count;
};

/* 0, or ENOMEM; panels_free in either case. Every line is in at least one panel, and so is every node. */
int panels_split(const struct report *report, const struct picture *picture, struct panels *panels);
void panels_free(struct panels *panels);

#endif
