/* SPDX-License-Identifier: MIT
 *
 * The pictures as SVG and PNG: a scene, drawn by Graphviz. Process-wide state of Graphviz: one thread at a time.
 */
#include "formats.h"
#include "picture.h"
#include "scene.h"
#include "whole.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* PNG: fine enough to read and to print; a huge picture becomes coarser, because an image of more pixels than this is
 * opened by nothing (and cairo ends at 32767 a side). */
#define DPI 120.0
#define MOST_PIXELS 60e6
#define MOST_SIDE 30000.0

static unsigned choose_dpi(const struct scene *scene) {
  double width = (scene->width + 60) / 72, height = (scene->height + 60) / 72;
  double dpi = fmin(DPI, sqrt(MOST_PIXELS / (width * height)));
  dpi = fmin(dpi, MOST_SIDE / fmax(width, height));
  return dpi < 1 ? 1 : (unsigned)dpi;
}

static int render_drawing(struct engine *engine, const char *text, const char *format, FILE *out) {
  Agraph_t *graph;
  char *bytes = NULL;
  unsigned size = 0;
  int error = engine_layout(engine, text, "nop2", &graph);
  if (error != 0)
    return error;
  if (gvRenderData(engine->context, graph, format, &bytes, &size) != 0 || bytes == NULL)
    error = ENOTSUP;
  else
    error = whole_write_bytes(bytes, size, out);
  gvFreeRenderData(bytes);
  engine_drop(engine, graph);
  return error;
}

static int render_scene(struct engine *engine, const struct scene *scene, const char *format, bool is_image,
                        FILE *out) {
  struct whole text;
  int error = whole_begin(&text);
  if (error != 0)
    return error;
  scene_draw(scene, is_image ? choose_dpi(scene) : 0, text.stream);
  error = whole_end(&text);
  if (error == 0)
    error = render_drawing(engine, text.bytes, format, out);
  free(text.bytes);
  return error;
}

static int render(const struct report *report, const struct render_options *options, const char *format, bool is_image,
                  FILE *out) {
  struct engine engine;
  struct scene scene = {0};
  int error = engine_open(&engine);
  if (error == 0)
    error = scene_make(&engine, report, picture_chosen(report, options), &scene);
  if (error == 0)
    error = render_scene(&engine, &scene, format, is_image, out);
  scene_free(&scene);
  engine_close(&engine);
  return error;
}

int svg_render(const struct report *report, const struct render_options *options, FILE *out) {
  return render(report, options, "svg", false, out);
}

int png_render(const struct report *report, const struct render_options *options, FILE *out) {
  return render(report, options, "png:cairo", true, out);
}
