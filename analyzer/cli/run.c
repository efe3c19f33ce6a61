/* SPDX-License-Identifier: MIT
 *
 * snarl run and snarl record: a program with the recorder in it, watched while it runs, reported on when it has ended.
 * Main thread.
 */
#include "commands.h"
#include "complain.h"
#include "launch.h"
#include "output.h"
#include "tracedir.h"
#include "tree.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
  const struct options *options;
  struct program program;
  struct tracedir directory;
  struct launch launch;
  struct outputs outputs;
  struct filter filter;
  struct watch watch;
  struct tree tree;
  bool kills; /* --on-deadlock=kill */
  int status; /* the program's, as from waitpid */
  bool fails; /* findings at or above --fail-on */
  enum exit_status trouble;
};

static void note_trouble(struct run *run, enum exit_status status) {
  if (run->trouble == EXIT_OK)
    run->trouble = status;
}

static bool is_text_on_stream(const struct output *output) {
  return !output->path && strcmp(output->renderer->name, "text") == 0;
}

/* Writes one report to one output by itself: text on a stream without what was shown before. */
static bool emit_to(struct run *run, struct output *output, const struct report *report) {
  struct filtered fresh;
  bool on_stream = is_text_on_stream(output);
  if (!filter_apply(on_stream ? &run->watch.shown : &(struct filter){0}, report, &fresh))
    return complain("out of memory"), false;
  size_t above = fresh.in_baseline;
  bool is_good = true;
  if (!above || fresh.report.finding_count) {
    is_good =
        output_open(output, on_stream ? run->outputs.text : stdout) && output_add(output, &fresh.report, run->options);
    is_good &= output_close(output);
  }
  if (above)
    complain("%zu finding%s reported above, while the program ran", above, above == 1 ? " was" : "s were");
  filtered_destroy(&fresh);
  return is_good;
}

/* `is_live`: the program still runs, so documents on standard output wait for the final report. */
static void emit(struct run *run, const struct study *study, bool is_live) {
  for (size_t i = 0; i < run->outputs.count; i++) {
    struct output *output = &run->outputs.items[i];
    bool waits = is_live && !output->path && !is_text_on_stream(output);
    if (!waits && !emit_to(run, output, &study->filtered.report))
      note_trouble(run, EXIT_FAILED);
  }
  if (!is_live)
    study_disclose(study, run->options);
}

static const char *trace_name(const struct run *run) {
  return run->directory.is_temporary ? run->options->arguments[0] : run->directory.name;
}

static void report_all(struct run *run) {
  struct study study;
  enum exit_status status = study_open(&study, run->directory.path, trace_name(run), run->options, &run->filter, NULL);
  if (status != EXIT_OK) {
    note_trouble(run, status);
    return;
  }
  emit(run, &study, false);
  run->fails = study_fails(&study, run->options);
  study_close(&study);
}

/* Everything is held still first: a process that dies would set free whoever waits for it, and change what happened. */
static void end_deadlock(struct run *run) {
  tree_stop(&run->tree);
  complain("%s is deadlocked: analyzing its trace", run->options->arguments[0]); /* which may take a while */
  report_all(run);
  tree_kill(&run->tree, run->launch.pid, &run->status);
  complain("killed %s, which was deadlocked (--on-deadlock=report leaves it)", run->options->arguments[0]);
}

static void report_deadlock(struct run *run, const struct study *study) {
  emit(run, study, true);
  watch_shown(&run->watch, &study->filtered.report);
  complain("%s is deadlocked and left as it is: process %d, trace %s", run->options->arguments[0], (int)run->launch.pid,
           run->directory.path);
}

/* Waits for the program's end, looking for deadlocks; then reports. */
static void live(struct run *run) {
  for (;;) {
    struct study study;
    if (launch_wait(&run->launch, watch_pause(&run->watch), &run->status))
      break;
    if (!watch_look(&run->watch, &study))
      continue;
    if (!run->kills)
      report_deadlock(run, &study);
    study_close(&study);
    if (run->kills) {
      end_deadlock(run);
      return;
    }
  }
  report_all(run);
}

static bool wants_kill(const struct options *options) {
  const char *ci = getenv("CI");
  if (options->on_deadlock == ON_DEADLOCK_DEFAULT)
    return ci && strcmp(ci, "true") == 0;
  return options->on_deadlock == ON_DEADLOCK_KILL;
}

static enum exit_status start(struct run *run) {
  const struct options *options = run->options;
  enum exit_status status = program_find(options->arguments[0], &run->program);
  if (status != EXIT_OK)
    return status;
  if (options->command == COMMAND_RECORD && !options->trace)
    status = tracedir_make_default(&run->directory, options->arguments[0]);
  else
    status = tracedir_make(&run->directory, options->trace, options->force);
  if (status != EXIT_OK)
    return status;
  if (run->kills)
    tree_watch(&run->tree);
  fflush(NULL);
  status = launch_start(&run->launch, &run->program, options->arguments, run->directory.path);
  if (status != EXIT_OK)
    tracedir_end(&run->directory, true);
  return status;
}

/* Findings come first, then what the program itself said, then our own trouble: a check never passes by accident. */
static int finish(struct run *run) {
  if (run->fails)
    return EXIT_FINDINGS;
  if (run->status != 0)
    return launch_die_alike(run->status);
  return run->trouble;
}

int command_run(const struct options *options) {
  struct run run = {.options = options, .kills = wants_kill(options)};
  enum exit_status status = outputs_init(&run.outputs, options, stderr);
  if (status == EXIT_OK)
    status = filter_init(&run.filter, options);
  if (status == EXIT_OK)
    status = start(&run);
  bool has_run = status == EXIT_OK;
  if (has_run) {
    watch_init(&run.watch, run.directory.path, trace_name(&run), options, &run.filter);
    live(&run);
    watch_destroy(&run.watch);
    launch_end(&run.launch);
  }
  tracedir_end(&run.directory, false);
  tree_destroy(&run.tree);
  filter_destroy(&run.filter);
  outputs_destroy(&run.outputs);
  free(run.program.path);
  return has_run ? finish(&run) : (int)status;
}

/* A program that leaves no record at all was not captured, whatever the reason: say so instead of a silent nothing. */
static void check_recording(struct run *run) {
  struct trace_problem problem = {0};
  struct trace *trace = trace_open(run->directory.path, &problem);
  if (!trace) {
    complain("nothing was recorded: %s", problem.text);
    note_trouble(run, EXIT_TRACE);
    return;
  }
  if (trace_dropped(trace))
    complain("%llu records are missing from %s; snarl info says why", (unsigned long long)trace_dropped(trace),
             run->directory.name);
  complain("recorded to %s (%llu bytes); next: snarl analyze %s", run->directory.name,
           (unsigned long long)trace_bytes(trace), run->directory.name);
  trace_close(trace);
}

int command_record(const struct options *options) {
  struct run run = {.options = options};
  enum exit_status status = start(&run);
  if (status == EXIT_OK) {
    while (!launch_wait(&run.launch, 60 * 1000, &run.status))
      ;
    launch_end(&run.launch);
    check_recording(&run);
  }
  tracedir_end(&run.directory, false);
  free(run.program.path);
  return status == EXIT_OK ? finish(&run) : (int)status;
}
