/* SPDX-License-Identifier: MIT
 *
 * Lays out a ring: nodes clockwise on an ellipse, arrows along it, labels outside, gate locks in the middle. The
 * ellipse starts small and grows until nothing touches. Any thread.
 */
#include "scene.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SAMPLES 48     /* points at which an arc is looked at */
#define ARROW 9.0      /* length of an arrow's head */
#define LEAST_ARC 52.0 /* an arrow shorter than this is not seen as one */
#define GAP 5.0        /* between an arrow and the node it leaves or meets */
#define ROOM 9.0       /* between labels and anything else */
#define GROWTH 1.05
#define MOST_ROUNDS 400 /* 1.05^400 is 300 million: more than any label needs */

struct box {
  struct spot at, size;
  bool is_round;
};

struct arc {
  double from, to; /* angles of its visible part */
};

struct ring {
  const struct scene *scene;
  const struct panel *panel;
  double rx, ry;
  struct box *boxes;  /* as panel.nodes */
  struct box *labels; /* as panel.lines */
  struct arc *arcs;   /* of the ring's lines */
};

static struct spot on_ellipse(const struct ring *ring, double angle) {
  return (struct spot){ring->rx * cos(angle), ring->ry * sin(angle)};
}

static double angle_of(const struct ring *ring, size_t i) {
  double start = ring->panel->ring_count == 2 ? M_PI : M_PI / 2;
  return start - 2 * M_PI * (double)i / (double)ring->panel->ring_count;
}

static bool is_inside(const struct box *box, struct spot spot, double margin) {
  double x = fabs(spot.x - box->at.x), y = fabs(spot.y - box->at.y);
  double half_width = box->size.x / 2 + margin, half_height = box->size.y / 2 + margin;
  if (box->is_round)
    return x * x / (half_width * half_width) + y * y / (half_height * half_height) < 1;
  return x < half_width && y < half_height;
}

static bool is_touching(const struct box *a, const struct box *b, double margin) {
  return fabs(a->at.x - b->at.x) < (a->size.x + b->size.x) / 2 + margin &&
         fabs(a->at.y - b->at.y) < (a->size.y + b->size.y) / 2 + margin;
}

static double distance(struct spot a, struct spot b) { return hypot(a.x - b.x, a.y - b.y); }

#define CENTRE_GAP 34.0

/* Nodes in the middle stand in a row across the ring's own nodes: one above the other between two, else side by side,
 * so that few arrows to the ring pass through another. */
static void place_centre(struct ring *ring, bool is_column) {
  const struct panel *panel = ring->panel;
  double length = -CENTRE_GAP, at;
  for (size_t i = panel->ring_count; i < panel->node_count; i++)
    length += (is_column ? ring->boxes[i].size.y : ring->boxes[i].size.x) + CENTRE_GAP;
  at = -length / 2;
  for (size_t i = panel->ring_count; i < panel->node_count; i++) {
    double own = is_column ? ring->boxes[i].size.y : ring->boxes[i].size.x;
    ring->boxes[i].at = is_column ? (struct spot){0, -(at + own / 2)} : (struct spot){at + own / 2, 0};
    at += own + CENTRE_GAP;
  }
}

static void place_nodes(struct ring *ring) {
  for (size_t i = 0; i < ring->panel->ring_count; i++)
    ring->boxes[i].at = on_ellipse(ring, angle_of(ring, i));
  place_centre(ring, ring->panel->ring_count == 2);
}

/* Cuts the arc at the two nodes and puts its label beside its middle, outside of the ring. */
static bool place_arc(struct ring *ring, size_t i) {
  size_t next = (i + 1) % ring->panel->ring_count;
  double from = angle_of(ring, i), to = from - 2 * M_PI / (double)ring->panel->ring_count;
  double step = (to - from) / SAMPLES;
  struct arc *arc = &ring->arcs[i];
  arc->from = from;
  arc->to = to;
  while (arc->from > to && is_inside(&ring->boxes[i], on_ellipse(ring, arc->from), GAP))
    arc->from += step;
  while (arc->to < from && is_inside(&ring->boxes[next], on_ellipse(ring, arc->to), GAP))
    arc->to -= step;
  double middle = (arc->from + arc->to) / 2;
  struct spot on = on_ellipse(ring, middle), normal = {cos(middle) / ring->rx, sin(middle) / ring->ry};
  double length = hypot(normal.x, normal.y);
  normal = (struct spot){normal.x / length, normal.y / length};
  double out = fabs(normal.x) * ring->labels[i].size.x / 2 + fabs(normal.y) * ring->labels[i].size.y / 2 + ROOM;
  ring->labels[i].at = (struct spot){on.x + normal.x * out, on.y + normal.y * out};
  return arc->from - arc->to > 0 && distance(on_ellipse(ring, arc->from), on_ellipse(ring, arc->to)) >= LEAST_ARC;
}

/* Whether any node but its own two, or any label, is in the arc's way. */
static bool is_arc_free(const struct ring *ring, size_t i) {
  const struct arc *arc = &ring->arcs[i];
  size_t next = (i + 1) % ring->panel->ring_count;
  for (size_t k = 0; k <= SAMPLES; k++) {
    struct spot spot = on_ellipse(ring, arc->from + (arc->to - arc->from) * (double)k / SAMPLES);
    for (size_t n = 0; n < ring->panel->node_count; n++)
      if (n != i && n != next && is_inside(&ring->boxes[n], spot, ROOM))
        return false;
    for (size_t n = 0; n < ring->panel->line_count; n++)
      if (is_inside(&ring->labels[n], spot, 2))
        return false;
  }
  return true;
}

static bool are_labels_free(const struct ring *ring, size_t i) {
  for (size_t k = i + 1; k < ring->panel->line_count; k++)
    if (is_touching(&ring->labels[i], &ring->labels[k], ROOM))
      return false;
  for (size_t k = 0; k < ring->panel->node_count; k++)
    if (is_touching(&ring->labels[i], &ring->boxes[k], i < ring->panel->ring_count ? ROOM : 2))
      return false;
  return true;
}

static bool is_free(const struct ring *ring) {
  const struct panel *panel = ring->panel;
  for (size_t i = 0; i < panel->node_count; i++)
    for (size_t k = i + 1; k < panel->node_count; k++)
      if (is_touching(&ring->boxes[i], &ring->boxes[k], k >= panel->ring_count ? CENTRE_GAP - 1 : 20))
        return false;
  for (size_t i = 0; i < panel->line_count; i++)
    if (!are_labels_free(ring, i) || (i < panel->ring_count && !is_arc_free(ring, i)))
      return false;
  return true;
}

static size_t position_of(const struct panel *panel, uint32_t node) {
  size_t i = 0;
  while (panel->nodes[i] != node)
    i++;
  return i;
}

/* Where the way from a box's middle towards `to` leaves the box. */
static struct spot leave(const struct box *box, struct spot to) {
  struct spot at = box->at;
  for (double part = 0; part < 1 && is_inside(box, at, GAP); part += 0.01)
    at = (struct spot){box->at.x + (to.x - box->at.x) * part, box->at.y + (to.y - box->at.y) * part};
  return at;
}

struct straight {
  struct spot from, to, along; /* along: from `from` to `to`, of length 1 */
  double length;
};

static struct straight straight_of(const struct ring *ring, size_t i) {
  const struct picture_edge *edge = ring->scene->panels.lines[ring->panel->lines[i]].edge;
  const struct box *a = &ring->boxes[position_of(ring->panel, edge->from)],
                   *b = &ring->boxes[position_of(ring->panel, edge->to)];
  struct straight it = {.from = leave(a, b->at), .to = leave(b, a->at), .along = {0, 1}};
  it.length = distance(it.from, it.to);
  if (it.length >= 1)
    it.along = (struct spot){(it.to.x - it.from.x) / it.length, (it.to.y - it.from.y) / it.length};
  return it;
}

/* Labels of straight arrows stand above them, or to the right of an upright one; not all at the same height, since
 * arrows side by side would never be far enough apart for that. */
static void place_straight(struct ring *ring, size_t i) {
  struct straight it = straight_of(ring, i);
  struct box *label = &ring->labels[i];
  struct spot up = it.along.x < 0 ? (struct spot){it.along.y, -it.along.x} : (struct spot){-it.along.y, it.along.x};
  if (fabs(it.along.x) < 0.05)
    up = (struct spot){1, 0};
  static const double parts[] = {0.5, 0.34, 0.66, 0.42, 0.58};
  size_t from = position_of(ring->panel, ring->scene->panels.lines[ring->panel->lines[i]].edge->from);
  double part = parts[from < ring->panel->ring_count ? 0 : (from - ring->panel->ring_count) % 5];
  double out = fabs(up.x) * label->size.x / 2 + fabs(up.y) * label->size.y / 2 + 1;
  label->at = (struct spot){it.from.x + (it.to.x - it.from.x) * part + up.x * out,
                            it.from.y + (it.to.y - it.from.y) * part + up.y * out};
}

/* Places everything for the ellipse as it is; whether nothing touches. */
static bool place(struct ring *ring) {
  bool is_free_here = true;
  place_nodes(ring);
  for (size_t i = 0; i < ring->panel->line_count; i++)
    if (i < ring->panel->ring_count)
      is_free_here &= place_arc(ring, i);
    else
      place_straight(ring, i);
  return is_free_here && is_free(ring);
}

/* Makes one radius as small as it can be. */
static void shrink(struct ring *ring, double *radius, double least) {
  double fitting = *radius;
  while (*radius > least && place(ring)) {
    fitting = *radius;
    *radius /= GROWTH;
  }
  *radius = fitting;
  place(ring);
}

/* Two nodes want to stand side by side, more on something nearer to a circle. */
static void grow(struct ring *ring) {
  const struct panel *panel = ring->panel;
  bool is_pair = panel->ring_count == 2;
  ring->ry = is_pair ? 42 : 60;
  ring->rx = !is_pair ? 72 : panel->node_count > 2 ? 126 : 84;
  for (size_t round = 0; !place(ring) && round < MOST_ROUNDS; round++) {
    ring->rx *= GROWTH;
    ring->ry *= GROWTH;
  }
  shrink(ring, &ring->ry, is_pair ? 42 : 60);
  shrink(ring, &ring->rx, ring->ry);
}

/* An elliptic arc as a spline; exact enough below 45 degrees a piece. */
static bool draw_arc(const struct ring *ring, size_t i, struct curve *curve) {
  const struct arc *arc = &ring->arcs[i];
  double to = arc->to;
  struct spot tip = on_ellipse(ring, arc->to);
  while (to < arc->from && distance(on_ellipse(ring, to), tip) < ARROW)
    to += (arc->from - arc->to) / 200;
  size_t pieces = (size_t)ceil((arc->from - to) / (M_PI / 4));
  pieces = pieces == 0 ? 1 : pieces;
  double step = (to - arc->from) / (double)pieces, pull = 4.0 / 3 * tan(step / 4);
  if (!curve_reserve(curve, 1 + 3 * pieces))
    return false;
  for (size_t k = 0; k <= pieces; k++) {
    double angle = arc->from + step * (double)k;
    struct spot on = on_ellipse(ring, angle), along = {-ring->rx * sin(angle) * pull, ring->ry * cos(angle) * pull};
    curve->points[3 * k] = on;
    if (k < pieces)
      curve->points[3 * k + 1] = (struct spot){on.x + along.x, on.y + along.y};
    if (k > 0)
      curve->points[3 * k - 1] = (struct spot){on.x - along.x, on.y - along.y};
  }
  curve->tip = tip;
  curve->label = ring->labels[i].at;
  return true;
}

static bool draw_straight(const struct ring *ring, size_t i, struct curve *curve) {
  struct straight it = straight_of(ring, i);
  if (!curve_reserve(curve, 4))
    return false;
  for (size_t k = 0; k < 4; k++) {
    double at = fmax(0, it.length - ARROW) * (double)k / 3;
    curve->points[k] = (struct spot){it.from.x + it.along.x * at, it.from.y + it.along.y * at};
  }
  curve->tip = it.to;
  curve->label = ring->labels[i].at;
  return true;
}

/* A lock taken by a site that holds another lock of the same site: one node and a loop above it. */
static bool draw_loop(const struct box *box, struct spot label, struct curve *curve) {
  double x = box->size.x / 4, top = box->at.y + box->size.y / 2 + 2;
  if (!curve_reserve(curve, 4))
    return false;
  curve->points[0] = (struct spot){box->at.x - x, top};
  curve->points[1] = (struct spot){box->at.x - 2.2 * x, top + 62};
  curve->points[2] = (struct spot){box->at.x + 2.2 * x, top + 62};
  curve->points[3] = (struct spot){box->at.x + x + 2, top + ARROW};
  curve->tip = (struct spot){box->at.x + x, top};
  curve->label = (struct spot){box->at.x, top + 50 + label.y / 2};
  return true;
}

static bool draw_line(const struct ring *ring, size_t i, struct curve *curve) {
  const struct panel *panel = ring->panel;
  const struct picture_edge *edge = ring->scene->panels.lines[panel->lines[i]].edge;
  if (edge->from == edge->to)
    return draw_loop(&ring->boxes[position_of(panel, edge->from)], ring->labels[i].size, curve);
  return i < panel->ring_count ? draw_arc(ring, i, curve) : draw_straight(ring, i, curve);
}

static bool draw(const struct ring *ring, struct layout *layout) {
  bool is_done = true;
  for (size_t i = 0; i < ring->panel->node_count; i++)
    layout->nodes[i] = ring->boxes[i].at;
  for (size_t i = 0; i < ring->panel->line_count && is_done; i++)
    is_done = draw_line(ring, i, &layout->curves[i]);
  return is_done;
}

struct bounds {
  double left, bottom, right, top;
};

static void extend(struct bounds *bounds, struct spot at, struct spot size) {
  bounds->left = fmin(bounds->left, at.x - size.x / 2);
  bounds->right = fmax(bounds->right, at.x + size.x / 2);
  bounds->bottom = fmin(bounds->bottom, at.y - size.y / 2);
  bounds->top = fmax(bounds->top, at.y + size.y / 2);
}

static void fit(const struct ring *ring, struct layout *layout) {
  const struct panel *panel = ring->panel;
  struct bounds bounds = {INFINITY, INFINITY, -INFINITY, -INFINITY};
  for (size_t i = 0; i < panel->node_count; i++)
    extend(&bounds, layout->nodes[i], ring->boxes[i].size);
  for (size_t i = 0; i < panel->line_count; i++) {
    extend(&bounds, layout->curves[i].label, ring->scene->label_sizes[panel->lines[i]]);
    for (size_t k = 0; k < layout->curves[i].count; k += 3)
      extend(&bounds, layout->curves[i].points[k], (struct spot){4, 4});
  }
  layout->width = bounds.right - bounds.left;
  layout->height = bounds.top - bounds.bottom;
  layout_shift(layout, panel, bounds.left, bounds.bottom);
}

int ring_layout(const struct scene *scene, const struct panel *panel, struct layout *layout) {
  struct ring ring = {.scene = scene, .panel = panel};
  ring.boxes = calloc(panel->node_count, sizeof *ring.boxes);
  ring.labels = calloc(panel->line_count, sizeof *ring.labels);
  ring.arcs = calloc(panel->ring_count, sizeof *ring.arcs);
  bool is_done = ring.boxes != NULL && ring.labels != NULL && ring.arcs != NULL;
  for (size_t i = 0; is_done && i < panel->node_count; i++) {
    ring.boxes[i].size = scene->node_sizes[panel->nodes[i]];
    ring.boxes[i].is_round = scene->panels.picture->nodes[panel->nodes[i]].shape == SHAPE_THREAD;
  }
  for (size_t i = 0; is_done && i < panel->line_count; i++)
    ring.labels[i].size = scene->label_sizes[panel->lines[i]];
  if (is_done)
    grow(&ring);
  is_done = is_done && draw(&ring, layout);
  if (is_done)
    fit(&ring, layout);
  free(ring.boxes);
  free(ring.labels);
  free(ring.arcs);
  return is_done ? 0 : ENOMEM;
}
