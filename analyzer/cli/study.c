/* SPDX-License-Identifier: MIT
 *
 * One trace, opened, analyzed and filtered. Main thread.
 */
#include "study.h"

#include "complain.h"

#include <string.h>

static enum exit_status cannot_read(const struct trace_problem *problem) {
  complain("%s", problem->text[0] ? problem->text : trace_status_sentence(problem->status));
  return problem->status == TRACE_NO_MEMORY ? EXIT_FAILED : EXIT_TRACE;
}

enum exit_status study_open(struct study *study, const char *path, const char *name, const struct options *options,
                            const struct filter *filter, const struct blocked_on *blocked) {
  struct trace_problem problem = {0};
  *study = (struct study){.trace = trace_open(path, &problem)};
  if (!study->trace)
    return cannot_read(&problem);
  if (blocked)
    trace_narrow(study->trace, blocked->addresses, blocked->count, blocked->has_conditions);
  struct analysis_options wanted = {.show_impossible = options->show_impossible,
                                    .show_all = options->show_all,
                                    .show_order = options->kind == KIND_HAPPENS_BEFORE,
                                    .only_blocked = blocked != NULL,
                                    .cycle_length = options->cycle_length};
  study->analysis = analysis_new(study->trace, name, &wanted);
  if (study->analysis && filter_apply(filter, analysis_report(study->analysis), &study->filtered))
    return EXIT_OK;
  complain("cannot analyze %s: out of memory", name);
  study_close(study);
  return EXIT_FAILED;
}

void study_close(struct study *study) {
  filtered_destroy(&study->filtered);
  if (study->analysis)
    analysis_free(study->analysis);
  if (study->trace)
    trace_close(study->trace);
  *study = (struct study){0};
}

bool study_fails(const struct study *study, const struct options *options) {
  const struct report *report = &study->filtered.report;
  if (options->fail_on == FAIL_ON_NEVER)
    return false;
  for (size_t i = 0; i < report->finding_count; i++)
    if ((int)report->findings[i].level >= options->fail_on)
      return true;
  return false;
}

void study_disclose(const struct study *study, const struct options *options) {
  size_t suppressed = study->filtered.suppressed, known = study->filtered.in_baseline;
  if (suppressed)
    complain("%zu finding%s suppressed by --suppressions", suppressed, suppressed == 1 ? " was" : "s were");
  if (known)
    complain("%zu finding%s left out: already in %s", known, known == 1 ? " was" : "s were", options->baseline);
}
