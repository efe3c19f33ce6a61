/* SPDX-License-Identifier: MIT
 *
 * Cuts a picture into panels. The picture says of each edge in which finding it takes part, but only of one: a ring
 * whose other edges are numbered for a neighbour is closed by the shortest way over emphasised edges. One thread per
 * picture.
 */
#include "panel.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define CENTRE_NODES 4u /* more gate locks than this do not fit into a ring's middle */

struct splitter {
  const struct report *report;
  const struct picture *picture;
  struct panels *panels;
  size_t core;          /* lines[0, core) are emphasised, by finding; the others follow */
  uint32_t *next;       /* per node: the line of the current set that leaves it, NONE */
  bool *is_entered;     /* per node: a line of the current set leads to it */
  bool *is_seen;        /* per node: on the ring already */
  uint32_t *came;       /* per node: the line by which the search reached it */
  uint32_t *queue;      /* room for every node */
  uint32_t *set;        /* per node: union-find */
  uint32_t *first_line; /* per node, and one past: its emphasised lines in `leaving` */
  uint32_t *leaving;
};

static bool push(uint32_t **items, size_t *count, uint32_t value) {
  if ((*count & (*count - 1)) == 0) { /* full at every power of two */
    uint32_t *grown = realloc(*items, (*count == 0 ? 1 : 2 * *count) * sizeof **items);
    if (grown == NULL)
      return false;
    *items = grown;
  }
  (*items)[(*count)++] = value;
  return true;
}

static const struct picture_edge *edge_of(const struct splitter *s, uint32_t line) {
  return s->panels->lines[line].edge;
}

/* Lines that can be part of a ring; a gate's only point at it. */
static bool is_ring_line(const struct splitter *s, uint32_t line) {
  enum picture_emphasis emphasis = edge_of(s, line)->emphasis;
  return emphasis == EMPHASIS_CYCLE || emphasis == EMPHASIS_IMPOSSIBLE;
}

static int compare_numbers(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* Emphasised edges first, by finding; then by what makes them one line. */
static int compare_edges(const struct picture_edge *a, const struct picture_edge *b) {
  int order = compare_numbers(a->emphasis == EMPHASIS_NONE, b->emphasis == EMPHASIS_NONE);
  order = order != 0 ? order : compare_numbers(a->cycle, b->cycle);
  order = order != 0 ? order : compare_numbers(a->from, b->from);
  order = order != 0 ? order : compare_numbers(a->to, b->to);
  order = order != 0 ? order : compare_numbers(a->relation, b->relation);
  return order != 0 ? order : compare_numbers(a->emphasis, b->emphasis);
}

static int compare_positions(const void *a, const void *b, void *context) {
  const struct picture *picture = context;
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  int order = compare_edges(&picture->edges[left], &picture->edges[right]);
  return order != 0 ? order : compare_numbers(left, right);
}

static bool make_lines(struct splitter *s) {
  struct panels *panels = s->panels;
  size_t count = s->picture->edge_count;
  panels->edges = calloc(count + 1, sizeof *panels->edges);
  panels->lines = calloc(count + 1, sizeof *panels->lines);
  if (panels->edges == NULL || panels->lines == NULL)
    return false;
  for (size_t i = 0; i < count; i++)
    panels->edges[i] = (uint32_t)i;
  qsort_r(panels->edges, count, sizeof *panels->edges, compare_positions, (void *)s->picture);
  const struct picture_edge *previous = NULL;
  for (size_t i = 0; i < count; i++) {
    const struct picture_edge *edge = &s->picture->edges[panels->edges[i]];
    if (previous != NULL && compare_edges(previous, edge) == 0) {
      panels->lines[panels->line_count - 1].count++;
      continue;
    }
    previous = edge;
    panels->lines[panels->line_count++] = (struct line){edge, &panels->edges[i], 1};
    s->core += edge->emphasis != EMPHASIS_NONE;
  }
  return true;
}

/* The emphasised lines by the node that they leave. */
static void index_lines(struct splitter *s) {
  size_t nodes = s->picture->node_count;
  for (size_t i = 0; i < s->core; i++)
    s->first_line[edge_of(s, (uint32_t)i)->from + 1] += is_ring_line(s, (uint32_t)i);
  for (size_t i = 0; i < nodes; i++)
    s->first_line[i + 1] += s->first_line[i];
  memcpy(s->queue, s->first_line, nodes * sizeof *s->queue);
  for (size_t i = 0; i < s->core; i++)
    if (is_ring_line(s, (uint32_t)i))
      s->leaving[s->queue[edge_of(s, (uint32_t)i)->from]++] = (uint32_t)i;
}

static bool splitter_init(struct splitter *s) {
  size_t nodes = s->picture->node_count + 2;
  s->next = calloc(nodes, sizeof *s->next);
  s->is_entered = calloc(nodes, sizeof *s->is_entered);
  s->is_seen = calloc(nodes, sizeof *s->is_seen);
  s->came = calloc(nodes, sizeof *s->came);
  s->queue = calloc(nodes, sizeof *s->queue);
  s->set = calloc(nodes, sizeof *s->set);
  s->first_line = calloc(nodes, sizeof *s->first_line);
  s->leaving = calloc(s->picture->edge_count + 1, sizeof *s->leaving);
  if (s->next == NULL || s->is_entered == NULL || s->is_seen == NULL || s->came == NULL || s->queue == NULL ||
      s->set == NULL || s->first_line == NULL || s->leaving == NULL || !make_lines(s))
    return false;
  memset(s->next, 0xff, nodes * sizeof *s->next);
  index_lines(s);
  return true;
}

static void splitter_destroy(struct splitter *s) {
  free(s->next);
  free(s->is_entered);
  free(s->is_seen);
  free(s->came);
  free(s->queue);
  free(s->set);
  free(s->first_line);
  free(s->leaving);
}

/* The nearest node that continues the ring from `from` over emphasised lines: the start of another piece of it, or
 * `start` itself when every piece is on it. NONE if there is no way that meets the ring nowhere else. */
static uint32_t search(struct splitter *s, uint32_t from, uint32_t start, bool is_last) {
  size_t head = 0, tail = 0;
  memset(s->came, 0xff, s->picture->node_count * sizeof *s->came);
  s->queue[tail++] = from;
  while (head < tail) {
    uint32_t node = s->queue[head++];
    for (uint32_t i = s->first_line[node]; i < s->first_line[node + 1]; i++) {
      uint32_t to = edge_of(s, s->leaving[i])->to;
      bool is_goal = is_last ? to == start : !s->is_seen[to] && s->next[to] != NONE && !s->is_entered[to];
      if (s->came[to] != NONE || (s->is_seen[to] && !is_goal))
        continue;
      s->came[to] = s->leaving[i];
      if (is_goal)
        return to;
      if (s->next[to] == NONE && !s->is_entered[to])
        s->queue[tail++] = to;
    }
  }
  return NONE;
}

struct walk {
  uint32_t *nodes, *lines;
  size_t node_count, line_count;
};

/* Puts the lines that the search found, from `from` to `goal`, onto the walk. */
static bool walk_found(struct splitter *s, struct walk *walk, uint32_t from, uint32_t goal) {
  size_t length = 0;
  for (uint32_t node = goal; length == 0 || node != from; node = edge_of(s, s->came[node])->from)
    s->queue[length++] = s->came[node];
  while (length-- > 0) {
    uint32_t line = s->queue[length], to = edge_of(s, line)->to;
    if (!push(&walk->lines, &walk->line_count, line))
      return false;
    if (to != goal && !push(&walk->nodes, &walk->node_count, to))
      return false;
    s->is_seen[to] = true;
  }
  return true;
}

/* Follows the set's lines from `start` until they close. `own`: how many lines the ring must hold. */
static bool walk_ring(struct splitter *s, struct walk *walk, uint32_t start, size_t own) {
  uint32_t node = start;
  size_t used = 0;
  do {
    if (!push(&walk->nodes, &walk->node_count, node))
      return false;
    s->is_seen[node] = true;
    uint32_t line = s->next[node];
    if (line != NONE) {
      used++;
      if (!push(&walk->lines, &walk->line_count, line))
        return false;
      node = edge_of(s, line)->to;
    } else {
      uint32_t goal = search(s, node, start, used == own);
      if (goal == NONE || !walk_found(s, walk, node, goal))
        return false;
      node = goal;
    }
  } while (node != start && (!s->is_seen[node] || s->next[node] != NONE) && walk->node_count <= s->picture->node_count);
  return node == start && used == own;
}

/* Threads the panel's ring lines by `next`: how many there are, 0 if two leave or enter one node. Sets *start. */
static size_t thread_lines(struct splitter *s, const struct panel *panel, uint32_t *start) {
  size_t own = 0;
  bool is_simple = true;
  for (size_t i = 0; i < panel->line_count; i++) {
    const struct picture_edge *edge = edge_of(s, panel->lines[i]);
    if (!is_ring_line(s, panel->lines[i]))
      continue;
    is_simple &= s->next[edge->from] == NONE && !s->is_entered[edge->to];
    s->next[edge->from] = panel->lines[i];
    s->is_entered[edge->to] = true;
    own++;
  }
  *start = NONE;
  for (size_t i = 0; i < panel->node_count; i++)
    if (s->next[panel->nodes[i]] != NONE && !s->is_entered[panel->nodes[i]] && *start == NONE)
      *start = panel->nodes[i];
  for (size_t i = 0; i < panel->node_count && *start == NONE; i++)
    if (s->next[panel->nodes[i]] != NONE)
      *start = panel->nodes[i];
  return is_simple ? own : 0;
}

/* Appends what of the panel is not on the ring (gates and their lines) to the walk. */
static bool append_others(struct splitter *s, const struct panel *panel, struct walk *walk) {
  for (size_t i = 0; i < panel->node_count; i++)
    if (!s->is_seen[panel->nodes[i]] && !push(&walk->nodes, &walk->node_count, panel->nodes[i]))
      return false;
  for (size_t i = 0; i < panel->line_count; i++)
    if (!is_ring_line(s, panel->lines[i]) && !push(&walk->lines, &walk->line_count, panel->lines[i]))
      return false;
  return true;
}

/* Makes the panel a ring if it is one. */
static void find_ring(struct splitter *s, struct panel *panel) {
  struct walk walk = {0};
  uint32_t start;
  size_t own = thread_lines(s, panel, &start);
  bool is_ring = own > 0 && walk_ring(s, &walk, start, own);
  size_t ring = walk.node_count;
  is_ring = is_ring && append_others(s, panel, &walk) && walk.node_count - ring <= CENTRE_NODES;
  for (size_t i = 0; i < walk.node_count; i++)
    s->is_seen[walk.nodes[i]] = false;
  for (size_t i = 0; i < walk.line_count; i++)
    s->is_seen[edge_of(s, walk.lines[i])->to] = false;
  for (size_t i = 0; i < panel->node_count; i++) {
    s->next[panel->nodes[i]] = NONE;
    s->is_entered[panel->nodes[i]] = false;
  }
  free(is_ring ? panel->nodes : walk.nodes);
  free(is_ring ? panel->lines : walk.lines);
  if (is_ring)
    *panel =
        (struct panel){PANEL_RING, true, panel->cycle, walk.nodes, walk.node_count, ring, walk.lines, walk.line_count};
}

static struct panel *add_panel(struct splitter *s, enum panel_kind kind, bool is_core, int32_t cycle) {
  struct panels *panels = s->panels;
  if ((panels->count & (panels->count - 1)) == 0) {
    struct panel *grown = realloc(panels->items, (panels->count == 0 ? 1 : 2 * panels->count) * sizeof *grown);
    if (grown == NULL)
      return NULL;
    panels->items = grown;
  }
  struct panel *panel = &panels->items[panels->count++];
  *panel = (struct panel){.kind = kind, .is_core = is_core, .cycle = cycle};
  return panel;
}

static bool add_node(struct splitter *s, struct panel *panel, uint32_t node) {
  if (s->is_seen[node])
    return true;
  s->is_seen[node] = true;
  return push(&panel->nodes, &panel->node_count, node);
}

static bool add_line(struct splitter *s, struct panel *panel, uint32_t line) {
  const struct picture_edge *edge = edge_of(s, line);
  return add_node(s, panel, edge->from) && add_node(s, panel, edge->to) &&
         push(&panel->lines, &panel->line_count, line);
}

/* The panel has all its lines: takes the marks of add_node off and looks for its ring. */
static void close_panel(struct splitter *s, struct panel *panel) {
  for (size_t i = 0; i < panel->node_count; i++)
    s->is_seen[panel->nodes[i]] = false;
  if (panel->is_core)
    find_ring(s, panel);
}

/* A panel for finding `cycle` of lines[from, to). */
static bool split_finding(struct splitter *s, int32_t cycle, size_t from, size_t to) {
  struct panel *panel = add_panel(s, PANEL_LAYERED, true, cycle);
  for (size_t i = from; i < to; i++)
    if (panel == NULL || !add_line(s, panel, (uint32_t)i))
      return false;
  close_panel(s, panel);
  return true;
}

static uint32_t set_of(struct splitter *s, uint32_t node) {
  while (s->set[node] != node)
    node = s->set[node] = s->set[s->set[node]];
  return node;
}

static void join_sets(struct splitter *s, size_t from, size_t to) {
  for (size_t i = 0; i < s->picture->node_count; i++)
    s->set[i] = (uint32_t)i;
  for (size_t i = from; i < to; i++) {
    uint32_t a = set_of(s, edge_of(s, (uint32_t)i)->from), b = set_of(s, edge_of(s, (uint32_t)i)->to);
    s->set[a > b ? a : b] = a > b ? b : a;
  }
}

/* Gives each connected part of the lines that holds one of lines[seed, to) its panel, by set in `came`. Parts of no
 * finding share one: they only fill up the picture. */
static bool add_parts(struct splitter *s, size_t seed, size_t to, bool is_core) {
  uint32_t shared = NONE;
  for (size_t i = 0; i < s->picture->node_count; i++) {
    s->came[i] = NONE;
    s->is_entered[i] = false;
  }
  for (size_t i = 0; i < s->core; i++)
    s->is_entered[set_of(s, edge_of(s, (uint32_t)i)->from)] = true;
  for (size_t i = seed; i < to; i++) {
    uint32_t set = set_of(s, edge_of(s, (uint32_t)i)->from);
    bool is_own = s->is_entered[set];
    if (s->came[set] == NONE && (is_own || shared == NONE)) {
      s->came[set] = (uint32_t)s->panels->count;
      shared = is_own ? shared : s->came[set];
      if (add_panel(s, PANEL_LAYERED, is_core, 0) == NULL)
        return false;
    } else if (s->came[set] == NONE)
      s->came[set] = shared;
  }
  memset(s->is_entered, 0, s->picture->node_count * sizeof *s->is_entered);
  return true;
}

static bool split_parts(struct splitter *s, size_t from, size_t seed, size_t to, bool is_core) {
  size_t base = s->panels->count;
  join_sets(s, from, to);
  if (!add_parts(s, seed, to, is_core))
    return false;
  for (size_t i = from; i < to; i++) {
    uint32_t owner = s->came[set_of(s, edge_of(s, (uint32_t)i)->from)];
    if (owner != NONE && !add_line(s, &s->panels->items[owner], (uint32_t)i))
      return false;
  }
  for (size_t i = base; i < s->panels->count; i++)
    close_panel(s, &s->panels->items[i]);
  return true;
}

static bool is_named(const struct finding *finding, const char *label) {
  for (size_t i = 0; i < finding->object_count; i++)
    if (strcmp(finding->objects[i].label, label) == 0)
      return true;
  return false;
}

/* A finding all of whose edges carry the numbers of others: its ring is what lies between its objects. */
static bool split_by_names(struct splitter *s, int32_t cycle) {
  const struct finding *finding = &s->report->findings[cycle - 1];
  struct panel *panel = NULL;
  for (size_t i = 0; i < s->core; i++) {
    const struct picture_edge *edge = edge_of(s, (uint32_t)i);
    if (edge->emphasis != EMPHASIS_CYCLE || !is_named(finding, s->picture->nodes[edge->from].label) ||
        !is_named(finding, s->picture->nodes[edge->to].label))
      continue;
    panel = panel != NULL ? panel : add_panel(s, PANEL_LAYERED, true, cycle);
    if (panel == NULL || !add_line(s, panel, (uint32_t)i))
      return false;
  }
  if (panel != NULL)
    close_panel(s, panel);
  return true;
}

static bool belongs_here(const struct splitter *s, size_t finding) {
  return s->picture->kind == PICTURE_LOCK_ORDER && finding < s->report->finding_count &&
         s->report->findings[finding].rule == RULE_LOCK_ORDER_CYCLE;
}

/* Every finding in its turn, then what is emphasised for another reason. */
static bool split_core(struct splitter *s) {
  size_t at = 0, zero;
  while (at < s->core && edge_of(s, (uint32_t)at)->cycle <= 0)
    at++;
  zero = at;
  for (int32_t cycle = 1; at < s->core || (size_t)cycle <= s->report->finding_count; cycle++) {
    size_t from = at;
    while (at < s->core && edge_of(s, (uint32_t)at)->cycle == cycle)
      at++;
    if (from < at ? !split_finding(s, cycle, from, at)
                  : belongs_here(s, (size_t)cycle - 1) && !split_by_names(s, cycle))
      return false;
  }
  return zero == 0 || split_parts(s, 0, 0, zero, true);
}

static bool split_grid(struct splitter *s) {
  struct panel *grid = NULL;
  for (size_t i = 0; i < s->panels->count; i++)
    for (size_t k = 0; k < s->panels->items[i].node_count; k++)
      s->is_entered[s->panels->items[i].nodes[k]] = true;
  for (size_t i = 0; i < s->picture->node_count; i++) {
    if (s->is_entered[i])
      continue;
    grid = grid != NULL ? grid : add_panel(s, PANEL_GRID, false, 0);
    if (grid == NULL || !push(&grid->nodes, &grid->node_count, (uint32_t)i))
      return false;
  }
  return true;
}

static bool all_in_lanes(struct splitter *s) {
  struct panel *panel = s->picture->node_count == 0 ? NULL : add_panel(s, PANEL_LANES, false, 0);
  bool is_good = panel != NULL || s->picture->node_count == 0;
  for (size_t i = 0; is_good && i < s->picture->node_count; i++)
    is_good = push(&panel->nodes, &panel->node_count, (uint32_t)i);
  for (size_t i = 0; is_good && i < s->panels->line_count; i++)
    is_good = push(&panel->lines, &panel->line_count, (uint32_t)i);
  return is_good;
}

int panels_split(const struct report *report, const struct picture *picture, struct panels *panels) {
  *panels = (struct panels){.picture = picture};
  struct splitter s = {.report = report, .picture = picture, .panels = panels};
  bool is_done = splitter_init(&s);
  if (picture->kind == PICTURE_HAPPENS_BEFORE)
    is_done = is_done && all_in_lanes(&s);
  else
    is_done = is_done && split_core(&s) && split_parts(&s, 0, s.core, panels->line_count, false) && split_grid(&s);
  splitter_destroy(&s);
  return is_done ? 0 : ENOMEM;
}

void panels_free(struct panels *panels) {
  for (size_t i = 0; i < panels->count; i++) {
    free(panels->items[i].nodes);
    free(panels->items[i].lines);
  }
  free(panels->items);
  free(panels->lines);
  free(panels->edges);
  *panels = (struct panels){0};
}
