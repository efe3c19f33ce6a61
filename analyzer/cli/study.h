/* SPDX-License-Identifier: MIT
 *
 * One trace, opened, analyzed and filtered: what run, analyze and graph have in common. Main thread.
 */
#ifndef CLI_STUDY_H
#define CLI_STUDY_H

#include "filter.h"
#include "options.h"

#include <snarl/analyzer.h>

struct study {
  struct trace *trace;
  struct analysis *analysis;
  struct filtered filtered; /* the report to render */
};

/* Studies the trace at `path`, which the report calls `name`. `only_blocked`: see struct analysis_options. EXIT_OK, or
 * the exit status after a complaint; then there is nothing to close. */
enum exit_status study_open(struct study *study, const char *path, const char *name, const struct options *options,
                            const struct filter *filter, bool only_blocked);
void study_close(struct study *study);

/* True if a finding of the report is at or above --fail-on. */
bool study_fails(const struct study *study, const struct options *options);
/* Says how many findings were left out. */
void study_disclose(const struct study *study, const struct options *options);

#endif
