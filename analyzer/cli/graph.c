/* SPDX-License-Identifier: MIT
 *
 * snarl graph: one picture of one trace. Main thread.
 */
#include "commands.h"
#include "complain.h"
#include "output.h"
#include "study.h"

#include <string.h>
#include <unistd.h>

static bool is_picture(const struct renderer *renderer) {
  return strcmp(renderer->name, "dot") == 0 || strcmp(renderer->name, "svg") == 0 || strcmp(renderer->name, "png") == 0;
}

/* By -f, else by what FILE ends in, else dot. NULL after a complaint. */
static const struct renderer *choose(const struct options *options) {
  const char *name = options->graph_format;
  const char *dot = options->graph_output ? strrchr(options->graph_output, '.') : NULL;
  if (!name && options->graph_output) {
    if (!dot)
      return complain("%s does not end in .dot, .svg or .png; choose with -f", options->graph_output), NULL;
    name = dot + 1;
  }
  const struct renderer *renderer = renderer_find(name ? name : "dot");
  if (renderer && is_picture(renderer))
    return renderer;
  complain("graph draws dot, svg and png, not '%s'", name ? name : "dot");
  return NULL;
}

int command_graph(const struct options *options) {
  struct output output = {.renderer = choose(options), .path = options->graph_output};
  if (!output.renderer)
    return EXIT_USAGE;
  if (!output.path && strcmp(output.renderer->name, "png") == 0 && isatty(STDOUT_FILENO))
    return complain("png wants -o FILE: standard output is a terminal"), EXIT_USAGE;
  struct study study;
  const char *path = options->arguments[0];
  enum exit_status status = study_open(&study, path, path, options, &(struct filter){0}, NULL);
  if (status != EXIT_OK)
    return status;
  bool is_good = output_open(&output, stdout) && output_add(&output, &study.filtered.report, options);
  if (!output_close(&output))
    is_good = false;
  study_close(&study);
  return is_good ? EXIT_OK : EXIT_FAILED;
}
