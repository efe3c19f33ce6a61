/* SPDX-License-Identifier: MIT
 *
 * The analyzer: a trace in, a report out. One thread per analysis; several analyses may run side by side on traces of
 * their own. The same trace gives the same report, byte for byte.
 */
#ifndef SNARL_ANALYZER_H
#define SNARL_ANALYZER_H

#include <snarl/finding.h>
#include <snarl/trace/reader.h>
#include <stdbool.h>

struct analysis_options {
  bool show_impossible;  /* fill report.impossible */
  bool show_all;         /* pictures: every lock and thread, not only those of findings */
  bool show_order;       /* fill report.happens_before, which takes another replay */
  bool only_blocked;     /* only what is stuck at the end of the trace (deadlock, self-deadlock): for watching a live
                            program */
  unsigned cycle_length; /* longest lock-order cycle searched for, 0: the default (6); a cut-off is disclosed in
                            report.problems */
};

struct analysis;

/* Replays the whole trace and runs the checks. `name`: the trace as the user called it. NULL: out of memory. Frees with
 * analysis_free, which ends the report too. The trace must outlive the analysis; trace_rewind is called first. */
struct analysis *analysis_new(struct trace *trace, const char *name, const struct analysis_options *options);
const struct report *analysis_report(const struct analysis *analysis);
void analysis_free(struct analysis *analysis);

/* Whether the trace has number `library`, from 0, of the libraries that are known to synchronize by system calls of
 * their own: 1 with what that hides in `text`, 0 if it has not, -1 if there are no more of them. */
int analysis_blind_library(const struct trace *trace, size_t library, char *text, size_t size);

#endif
