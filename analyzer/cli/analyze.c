/* SPDX-License-Identifier: MIT
 *
 * snarl analyze: a report per trace. Main thread.
 */
#include "commands.h"
#include "complain.h"
#include "output.h"
#include "study.h"

/* One trace at a time, so that memory is that of the largest. */
static enum exit_status analyze_one(const char *path, const struct options *options, const struct filter *filter,
                                    struct outputs *outputs) {
  struct study study;
  enum exit_status status = study_open(&study, path, path, options, filter, false);
  if (status != EXIT_OK)
    return status;
  if (!outputs_add(outputs, &study.filtered.report, options))
    status = EXIT_FAILED;
  study_disclose(&study, options);
  if (study_fails(&study, options))
    status = EXIT_FINDINGS;
  study_close(&study);
  return status;
}

/* Findings weigh most, then traces that were not read, then outputs that were not written. */
static enum exit_status worse(enum exit_status a, enum exit_status b) { return a > b ? a : b; }

static enum exit_status analyze_all(const struct options *options, const struct filter *filter,
                                    struct outputs *outputs) {
  enum exit_status status = outputs_open(outputs) ? EXIT_OK : EXIT_FAILED;
  for (size_t i = 0; i < options->argument_count; i++)
    status = worse(status, analyze_one(options->arguments[i], options, filter, outputs));
  return worse(status, outputs_close(outputs) ? EXIT_OK : EXIT_FAILED);
}

int command_analyze(const struct options *options) {
  struct outputs outputs;
  struct filter filter = {0};
  enum exit_status status = outputs_init(&outputs, options, stdout);
  if (status == EXIT_OK)
    status = filter_init(&filter, options);
  if (status == EXIT_OK)
    status = analyze_all(options, &filter, &outputs);
  filter_destroy(&filter);
  outputs_destroy(&outputs);
  return status;
}
