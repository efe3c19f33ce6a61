/* SPDX-License-Identifier: MIT
 *
 * Rendering a report: one renderer per format, listed in formats.def.
 */
#ifndef SNARL_REPORT_H
#define SNARL_REPORT_H

#include <snarl/finding.h>
#include <stdio.h>

struct render_options {
  bool use_colour;           /* text: ANSI colours */
  bool is_verbose;           /* text: fold nothing */
  enum picture_kind picture; /* dot, svg, png: which picture */
};

struct renderer {
  const char *name;   /* as in -f NAME */
  const char *suffix; /* file name ending: ".json" */
  const char *help;   /* one line */
  /* Writes the whole report; 0, or an errno if the stream failed or a library could not do its part. Never exits, never
   * prints. */
  int (*render)(const struct report *report, const struct render_options *options, FILE *out);
};

/* The renderer called `name`, NULL if none. */
const struct renderer *renderer_find(const char *name);
/* The i-th renderer of formats.def, NULL past the last. */
const struct renderer *renderer_at(size_t i);

#endif
