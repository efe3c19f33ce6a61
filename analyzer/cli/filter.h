/* SPDX-License-Identifier: MIT
 *
 * Findings that the user does not want to hear about: suppression files and baselines. Main thread.
 */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include "options.h"

#include <snarl/finding.h>

struct rule_line {  /* one line of a suppression file */
  const char *rule; /* rule id or a family's name; "id": a fingerprint */
  const char *pattern;
};

struct filter {
  char **texts; /* the files' contents, which the lines point into */
  size_t text_count;
  struct rule_line *lines;
  size_t line_count;
  char (*known)[17]; /* fingerprints of the baseline */
  size_t known_count;
};

/* Reads the files of --suppressions and --baseline. EXIT_OK, or the exit status after a complaint. */
enum exit_status filter_init(struct filter *filter, const struct options *options);
void filter_destroy(struct filter *filter);

/* A copy of a report without some of its findings; shares everything else with the original, which must outlive it. */
struct filtered {
  struct report report;
  size_t suppressed, in_baseline;
};
/* False: out of memory. */
bool filter_apply(const struct filter *filter, const struct report *report, struct filtered *filtered);
void filtered_destroy(struct filtered *filtered);

/* Exposed for the unit tests. Adds the lines of `text`, which is changed; `name` is for complaints. */
enum exit_status filter_add_suppressions(struct filter *filter, const char *name, char *text);
/* Adds the fingerprints in `text`, a JSON report. */
enum exit_status filter_add_baseline(struct filter *filter, const char *name, const char *text);
/* TSan's pattern: found anywhere in `text` unless anchored by ^ or $; * stands for anything. */
bool pattern_matches(const char *pattern, const char *text);

#endif
