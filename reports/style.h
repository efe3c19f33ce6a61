/* SPDX-License-Identifier: MIT
 *
 * How things look in a picture, in Graphviz' words, whoever lays them out. Every string of the traced program goes
 * through here on its way into a graph. Pure functions that write to a stream, any thread.
 */
#ifndef SNARL_REPORTS_STYLE_H
#define SNARL_REPORTS_STYLE_H

#include "panel.h"
#include <stdio.h>

/* "..." with everything escaped that Graphviz or XML would take for more than text. */
void style_quoted(FILE *out, const char *text, size_t columns);
/* The same inside of an HTML-like label <...>. */
void style_html(FILE *out, const char *text, size_t columns);

/* Attributes, without brackets, of the graph, all nodes and all edges. */
void style_defaults(FILE *out);
/* Attributes of one node. `has_badge`: the number of its finding stands on it. */
void style_node(FILE *out, const struct picture *picture, uint32_t node, bool has_badge);
/* What a line's label tells: where; or also in words what the arrow means, for pictures that somebody sees first. */
enum label_kind { LABEL_NONE, LABEL_SHORT, LABEL_FULL };
void style_line(FILE *out, const struct panels *panels, uint32_t line, enum label_kind kind);

/* HTML-like labels, angle brackets included. */
void style_line_label(FILE *out, const struct panels *panels, uint32_t line, enum label_kind kind);
void style_panel_title(FILE *out, const struct report *report, const struct panels *panels, const struct panel *panel);
void style_heading(FILE *out, const struct report *report, const struct panels *panels);
void style_legend(FILE *out, const struct panels *panels);

/* Whether lines that no finding is made of go unlabelled, because there are too many to read. */
bool style_is_crowded(const struct panels *panels);
/* How lines of findings are labelled: in words only while there are few. */
enum label_kind style_label(const struct panels *panels);
/* The colour of what is part of finding `cycle`, and its tint. */
const char *style_colour(int32_t cycle);
const char *style_tint(int32_t cycle);

#endif
