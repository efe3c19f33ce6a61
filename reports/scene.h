/* SPDX-License-Identifier: MIT
 *
 * Where everything of a picture stands. Coordinates are points (1/72 inch), y grows upwards, a box is told by its
 * middle. One thread per scene.
 */
#ifndef SNARL_REPORTS_SCENE_H
#define SNARL_REPORTS_SCENE_H

#include "engine.h"
#include "style.h"

struct spot {
  double x, y;
};

struct curve {
  struct spot *points; /* a cubic spline: 1 + 3 n points; the arrow's tip lies past the last */
  size_t count;
  struct spot tip;
  struct spot label;
};

/* A panel's content, from (0, 0) to (width, height). */
struct layout {
  struct spot *nodes;   /* as panel.nodes */
  struct curve *curves; /* as panel.lines */
  double width, height;
};

struct placed {
  struct layout layout;
  struct spot title;                  /* its size */
  double left, bottom, width, height; /* of the frame in the scene */
};

struct scene {
  const struct report *report;
  struct panels panels;
  struct spot *node_sizes;  /* as picture.nodes */
  struct spot *label_sizes; /* as panels.lines */
  struct placed *placed;    /* as panels.items */
  struct spot heading, legend;
  double width, height;
};

/* Room between a panel's frame and what is in it. */
#define PANEL_PAD 16.0

/* 0 or an errno; scene_free in either case. */
int scene_make(struct engine *engine, const struct report *report, const struct picture *picture, struct scene *scene);
void scene_free(struct scene *scene);
/* The scene as a graph with every position given, for the engine that only draws. `dpi` 0: as the format has it. */
void scene_draw(const struct scene *scene, unsigned dpi, FILE *out);

/* The ways of laying out a panel: 0 or an errno. layout->nodes and ->curves are allocated, to be filled. */
int ring_layout(const struct scene *scene, const struct panel *panel, struct layout *layout);
int layered_layout(struct engine *engine, const struct scene *scene, const struct panel *panel, struct layout *layout);
int lanes_layout(const struct scene *scene, const struct panel *panel, struct layout *layout);
int grid_layout(const struct scene *scene, const struct panel *panel, struct layout *layout);

/* Shared by the ways: points of a curve, and moving everything so that it begins at (0, 0). */
bool curve_reserve(struct curve *curve, size_t count);
void layout_shift(struct layout *layout, const struct panel *panel, double left, double bottom);
/* How a line is labelled in this panel. */
enum label_kind scene_label(const struct panels *panels, const struct panel *panel, uint32_t line);

#endif
