/* SPDX-License-Identifier: MIT
 *
 * The words around a picture: heading, titles of panels and the legend, which explains only what is there. Whatever is
 * not drawn is told. Any thread.
 */
#include "style.h"
#include <string.h>

#define TITLE_COLUMNS 60u
#define TITLE_LINES 3u
#define LEFT "<BR ALIGN=\"LEFT\"/>"

/* How many bytes of `text` fill a line of `columns` bytes, broken at a space where there is one. */
static size_t line_size(const char *text, size_t columns) {
  size_t size = strlen(text);
  if (size <= columns)
    return size;
  for (size_t i = columns; i > columns / 2; i--)
    if (text[i] == ' ')
      return i;
  for (size = columns; size > 1 && (text[size] & 0xc0) == 0x80; size--)
    ;
  return size;
}

static void put_wrapped(FILE *out, const char *text) {
  for (size_t line = 0; *text != '\0'; line++) {
    char part[TITLE_COLUMNS + 1] = "";
    size_t size = line_size(text, TITLE_COLUMNS);
    if (line + 1 == TITLE_LINES) {
      style_html(out, text, TITLE_COLUMNS);
      size = strlen(text);
    } else {
      memcpy(part, text, size);
      style_html(out, part, 0);
    }
    fputs(LEFT, out);
    text += size;
    text += strspn(text, " ");
  }
}

/* What makes a panel without a number impossible: its gate locks, when it has any. */
static void put_impossible_title(FILE *out, const struct picture *picture, const struct panel *panel) {
  const char *between = "<B>Cannot happen</B>" LEFT "every way round holds ";
  bool has_gate = false;
  for (size_t i = 0; i < panel->node_count; i++) {
    const struct picture_node *node = &picture->nodes[panel->nodes[i]];
    if (node->emphasis != EMPHASIS_GATE)
      continue;
    fputs(between, out);
    style_html(out, node->label, 30);
    between = " and ";
    has_gate = true;
  }
  fputs(has_gate ? LEFT : "<B>Cannot happen</B>" LEFT, out);
}

static void put_other_title(FILE *out, const struct panels *panels, const struct panel *panel) {
  bool has_core = false;
  for (size_t i = 0; i < panel->line_count; i++)
    has_core |= panels->lines[panel->lines[i]].edge->emphasis != EMPHASIS_NONE;
  if (panel->kind == PANEL_LANES)
    fputs("<B>Each column is a thread, time runs downwards</B>" LEFT, out);
  else if (panel->kind == PANEL_GRID)
    fprintf(out, "<B>%s</B>" LEFT,
            panels->picture->kind == PICTURE_LOCK_ORDER ? "Never held together with another" : "Waits for nothing");
  else
    fprintf(out, "<B>%s</B>" LEFT, has_core ? "The same with all around it" : "Part of no finding");
}

void style_panel_title(FILE *out, const struct report *report, const struct panels *panels, const struct panel *panel) {
  fputc('<', out);
  if (panel->cycle > 0 && (size_t)panel->cycle <= report->finding_count) {
    const struct finding *finding = &report->findings[panel->cycle - 1];
    fprintf(out, "<FONT COLOR=\"%s\"><B>[%d] %s: %s, %s</B></FONT>" LEFT, style_colour(panel->cycle), panel->cycle,
            finding_level_name(finding->level), finding_rule_info(finding->rule)->id,
            finding_verdict_name(finding->verdict));
    put_wrapped(out, finding->title);
  } else if (panel->cycle > 0)
    fprintf(out, "<FONT COLOR=\"%s\"><B>[%d]</B></FONT>" LEFT, style_colour(panel->cycle), panel->cycle);
  else if (panel->is_core)
    put_impossible_title(out, panels->picture, panel);
  else
    put_other_title(out, panels, panel);
  fputc('>', out);
}

static void put_number(FILE *out, size_t count, const char *one, const char *many) {
  fprintf(out, "%zu %s", count, count == 1 ? one : many);
}

static const char *node_noun(const struct picture *picture, bool is_one) {
  if (picture->kind == PICTURE_LOCK_ORDER)
    return is_one ? "lock" : "locks";
  if (picture->kind == PICTURE_HAPPENS_BEFORE)
    return is_one ? "thread or deed" : "threads and deeds";
  return is_one ? "thread or object" : "threads and objects";
}

/* Why there is nothing to see: an empty picture must not be taken for a broken one. */
static void put_nothing(FILE *out, const struct picture *picture) {
  static const char *const reasons[] = {"no lock was taken while another was held", "no thread waits for another",
                                        "there is no finding whose order could be shown (--all draws all threads)"};
  if (picture->hidden_nodes == 0) {
    fprintf(out, "Nothing to draw: %s." LEFT, reasons[picture->kind]);
    return;
  }
  fputs("Nothing to draw: none of the ", out);
  put_number(out, picture->hidden_nodes, node_noun(picture, true), node_noun(picture, false));
  fputs(" takes part in a finding (--all draws them)." LEFT, out);
}

static void put_hidden(FILE *out, const struct picture *picture) {
  if (picture->hidden_nodes + picture->hidden_edges == 0)
    return;
  put_number(out, picture->hidden_nodes, node_noun(picture, true), node_noun(picture, false));
  if (picture->hidden_edges > 0) {
    fputs(" and ", out);
    put_number(out, picture->hidden_edges, "arrow", "arrows");
  }
  fputs(picture->kind == PICTURE_HAPPENS_BEFORE ? " more did not fit: the picture shows the first." LEFT
                                                : " that take part in no finding are left out (--all draws them)." LEFT,
        out);
}

/* Findings of the picture's kind that have no panel, because nothing of the picture carries their number. */
static size_t count_undrawn(const struct report *report, const struct panels *panels) {
  size_t count = 0;
  for (size_t i = 0; i < report->finding_count && panels->picture->kind == PICTURE_LOCK_ORDER; i++) {
    bool is_drawn = report->findings[i].rule != RULE_LOCK_ORDER_CYCLE;
    for (size_t k = 0; k < panels->count && !is_drawn; k++)
      is_drawn = panels->items[k].cycle == (int32_t)i + 1;
    count += !is_drawn;
  }
  return count;
}

/* "500 locks in 11 boxes": what is folded counts. */
static void put_node_count(FILE *out, const struct picture *picture) {
  size_t count = 0;
  for (size_t i = 0; i < picture->node_count; i++)
    count += picture->nodes[i].folded;
  put_number(out, count, node_noun(picture, true), node_noun(picture, false));
  if (count > picture->node_count) {
    fputs(" in ", out);
    put_number(out, picture->node_count, "box", "boxes");
  }
}

/* The lines that hold a thread's column together are none. */
static size_t count_arrows(const struct picture *picture) {
  size_t count = 0;
  for (size_t i = 0; i < picture->edge_count; i++)
    count += picture->edges[i].relation != RELATION_NEXT;
  return count;
}

static void put_caption(FILE *out, const struct report *report, const struct panels *panels) {
  const struct picture *picture = panels->picture;
  put_node_count(out, picture);
  fputs(", ", out);
  put_number(out, count_arrows(picture), "arrow", "arrows");
  fputs(" of ", out);
  style_html(out, report->trace, 60);
  fputs(LEFT, out);
  put_hidden(out, picture);
  size_t undrawn = count_undrawn(report, panels);
  if (undrawn > 0) {
    put_number(out, undrawn, "finding has", "findings have");
    fputs(" no ring here: all arrows carry the numbers of others." LEFT, out);
  }
  if (style_is_crowded(panels))
    fputs("Arrows of no finding are drawn without labels; their tooltips (svg) have them." LEFT, out);
}

void style_heading(FILE *out, const struct report *report, const struct panels *panels) {
  fputs("<<FONT POINT-SIZE=\"17\"><B>", out);
  style_html(out, panels->picture->title, 90);
  fputs("</B></FONT>" LEFT, out);
  if (panels->picture->node_count == 0)
    put_nothing(out, panels->picture);
  else
    put_caption(out, report, panels);
  fputc('>', out);
}

static void put_sample(FILE *out, const char *colour, const char *sample, const char *meaning) {
  fprintf(out, "<TD ALIGN=\"LEFT\"><FONT COLOR=\"%s\"><B>%s</B></FONT> %s    </TD>", colour, sample, meaning);
}

struct presence {
  bool is_folded;
  bool shapes[5], relations[7], emphases[4];
  bool edge_emphases[4];
};

static struct presence look(const struct panels *panels) {
  const struct picture *picture = panels->picture;
  struct presence seen = {0};
  for (size_t i = 0; i < picture->node_count; i++) {
    seen.shapes[picture->nodes[i].shape] = true;
    seen.emphases[picture->nodes[i].emphasis] = true;
    seen.is_folded |= picture->nodes[i].folded > 1;
  }
  for (size_t i = 0; i < panels->line_count; i++) {
    seen.relations[panels->lines[i].edge->relation] = true;
    seen.edge_emphases[panels->lines[i].edge->emphasis] = true;
  }
  return seen;
}

static void put_arrow_samples(FILE *out, const struct presence *seen) {
  if (seen->relations[RELATION_ORDER])
    put_sample(out, "#222222", "A ─▶ B", "a thread held A when it took B");
  if (seen->relations[RELATION_WAITS])
    put_sample(out, "#222222", "╌╌▶", "waits for");
  if (seen->relations[RELATION_HELD_BY])
    put_sample(out, "#222222", "──◆", "is held by");
  if (seen->relations[RELATION_ENDED_BY])
    put_sample(out, "#222222", "····◆", "could be ended by any of these");
  if (seen->relations[RELATION_HB])
    put_sample(out, "#222222", "──▶", "happens before, in every run");
  if (seen->relations[RELATION_HB_HERE])
    put_sample(out, "#222222", "╌╌▶", "came before in this run");
  if (seen->relations[RELATION_NEXT])
    put_sample(out, "#999999", "───", "the same thread, later");
}

static void put_mark_samples(FILE *out, const struct presence *seen) {
  if (seen->is_folded)
    put_sample(out, "#222222", "×2", "so many, created at one place");
  if (seen->emphases[EMPHASIS_CYCLE] && !seen->edge_emphases[EMPHASIS_CYCLE])
    put_sample(out, style_colour(1), "▣", "step of finding [1], [2], ...");
  if (seen->edge_emphases[EMPHASIS_CYCLE])
    put_sample(out, style_colour(1), "━━▶", "thick and coloured: finding [1], [2], ...");
  if (seen->edge_emphases[EMPHASIS_IMPOSSIBLE] || seen->emphases[EMPHASIS_IMPOSSIBLE])
    put_sample(out, "#767676", "╌╌▶", "cannot happen");
  if (seen->emphases[EMPHASIS_GATE])
    put_sample(out, "#007D5A", "▣ ····▶", "gate lock: held all the way round, so threads cannot meet");
}

static void put_shape_samples(FILE *out, const struct presence *seen) {
  if (seen->shapes[SHAPE_THREAD])
    put_sample(out, "#222222", "◯", "thread");
  if (seen->shapes[SHAPE_PROCESS])
    put_sample(out, "#222222", "❒", "process");
  if (seen->shapes[SHAPE_LOCK])
    put_sample(out, "#222222", "▢", "lock");
  if (seen->shapes[SHAPE_WAITABLE])
    put_sample(out, "#222222", "⬡", "semaphore, condition, queue, channel, ...");
}

/* One row of samples; a table of its own, so that rows do not share columns. */
static void put_row(FILE *out, const struct presence *seen, void (*put)(FILE *, const struct presence *)) {
  fputs("<TR><TD ALIGN=\"LEFT\"><TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLPADDING=\"1\" CELLSPACING=\"0\"><TR>", out);
  put(out, seen);
  fputs("<TD></TD></TR></TABLE></TD></TR>", out);
}

void style_legend(FILE *out, const struct panels *panels) {
  struct presence seen = look(panels);
  bool has_marks = seen.is_folded || seen.edge_emphases[EMPHASIS_CYCLE] || seen.emphases[EMPHASIS_CYCLE] ||
                   seen.edge_emphases[EMPHASIS_IMPOSSIBLE] || seen.emphases[EMPHASIS_IMPOSSIBLE] ||
                   seen.emphases[EMPHASIS_GATE];
  fputs("<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLPADDING=\"0\" CELLSPACING=\"2\">", out);
  if (panels->picture->kind != PICTURE_LOCK_ORDER || panels->picture->edge_count == 0)
    put_row(out, &seen, put_shape_samples);
  if (panels->picture->edge_count > 0)
    put_row(out, &seen, put_arrow_samples);
  if (has_marks)
    put_row(out, &seen, put_mark_samples);
  fputs("</TABLE>>", out);
}
