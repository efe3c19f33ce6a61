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

/* What threads are blocked on: all that matters when only who is stuck is asked for. */
struct blocked_on {
  uint64_t *addresses;
  size_t count, room;
  bool has_conditions;
};

/* Studies the trace at `path`, which the report calls `name`. With `blocked` only who is stuck on those objects.
 * EXIT_OK, or the exit status after a complaint; then there is nothing to close. */
enum exit_status study_open(struct study *study, const char *path, const char *name, const struct options *options,
                            const struct filter *filter, const struct blocked_on *blocked);
void study_close(struct study *study);

/* True if a finding of the report is at or above --fail-on. */
bool study_fails(const struct study *study, const struct options *options);
/* Says how many findings were left out. */
void study_disclose(const struct study *study, const struct options *options);

#endif
