/* SPDX-License-Identifier: MIT
 *
 * Where reports go: the -f options. A file appears whole or not at all: it is written beside its place and renamed.
 * Main thread.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "options.h"

#include <snarl/report.h>
#include <stdio.h>

struct output {
  const struct renderer *renderer;
  const char *path; /* NULL: a standard stream */
  FILE *stream;     /* open while a report is being written */
  char *target;     /* `path` with links resolved */
  bool has_failed;  /* and that was said */
  char *temporary;  /* being written, to become `target`; NULL: written in place */
};

struct outputs {
  struct output *items;
  size_t count;
  FILE *text; /* where text goes without a path */
};

/* Parses -f; none: text to `text`. EXIT_OK, or the exit status after a complaint. */
enum exit_status outputs_init(struct outputs *outputs, const struct options *options, FILE *text);
void outputs_destroy(struct outputs *outputs);

/* Opens every output, renders one report or several, closes: in this order. False: a complaint is printed; the other
 * outputs are served all the same. */
bool outputs_open(struct outputs *outputs);
bool outputs_add(struct outputs *outputs, const struct report *report, const struct options *options);
bool outputs_close(struct outputs *outputs);

/* One output by itself; `output_open` with a path of NULL takes `standard`. */
bool output_open(struct output *output, FILE *standard);
bool output_add(struct output *output, const struct report *report, const struct options *options);
bool output_close(struct output *output);

/* The errno behind a stream's error, 0 if all is written. */
int stream_error(FILE *stream);

/* The picture that --kind asks for, or that the report calls for. */
enum picture_kind picture_wanted(const struct report *report, const struct options *options);

#endif
