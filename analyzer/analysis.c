/* SPDX-License-Identifier: MIT
 *
 * One analysis from the first record to the report (see snarl/analyzer.h): replay, checks, and the findings in their
 * order. One thread per analysis.
 */
#include "checks/data_race.h"
#include "checks/deadlock.h"
#include "checks/fork_locks.h"
#include "checks/handler_locks.h"
#include "checks/leaks.h"
#include "checks/left_behind.h"
#include "checks/lock_order.h"
#include "checks/misuse.h"
#include "checks/order_picture.h"
#include "checks/unseen.h"
#include <inttypes.h>
#include <snarl/analyzer.h>
#include <stdlib.h>
#include <string.h>

#define CYCLE_LENGTH 6u /* longest lock-order cycle looked for when the caller does not say */

struct analysis {
  struct arena arena;
  jmp_buf failed;
  struct trace *trace;
  struct analysis_options options;
  struct model model;
  struct dependencies deps;
  struct lock_cycles cycles;
  struct lock_order order;
  struct wait_graph waits;
  struct fork_locks fork_locks;
  struct handler_locks handler_locks;
  struct unseen unseen;
  struct data_races races;
  struct misuses misuses;
  bool has_accesses; /* of variables */
  struct symbols *symbols;
  struct describe describe;
  struct found_list found, impossible;
  VECTOR(const char *) problems;
  struct report report;
};

static void replay(struct analysis *analysis) {
  struct trace_record record;
  struct event event;
  model_init(&analysis->model, &analysis->arena, analysis->trace);
  dependencies_init(&analysis->deps, &analysis->arena, &analysis->model);
  if (!analysis->options.only_blocked) {
    analysis->model.forget = dependencies_forget;
    analysis->model.context = &analysis->deps;
  }
  trace_rewind(analysis->trace);
  fork_locks_init(&analysis->fork_locks, &analysis->arena, &analysis->model);
  handler_locks_init(&analysis->handler_locks, &analysis->arena, &analysis->model);
  analysis->misuses = (struct misuses){.arena = &analysis->arena};
  unseen_init(&analysis->unseen, &analysis->arena, &analysis->model);
  while (trace_next(analysis->trace, &record)) {
    model_step(&analysis->model, &record, &event);
    if (analysis->options.only_blocked)
      continue;
    misuses_step(&analysis->misuses, &event);
    analysis->has_accesses |= event.info->family == SNARLI_SHARED || event.info->family == SNARLI_MANAGED;
    if (event.wants)
      dependencies_step(&analysis->deps, &event);
    fork_locks_step(&analysis->fork_locks, &event);
    handler_locks_step(&analysis->handler_locks, &event);
    unseen_step(&analysis->unseen, &event);
  }
  dependencies_settle(&analysis->deps);
}

/* Of semaphores, channels and orders that live to the end: which have several posters or acquirers. The others were
 * noted when they went. */
static void note_mixed_sems(struct analysis *analysis) {
  for (size_t i = 0; i < analysis->model.objects.count; i++) {
    const struct object *object = analysis->model.objects.items[i];
    if (object && (object->has_posters || object->has_acquirers))
      map_put(&analysis->arena, &analysis->deps.mixed_sems, object->serial,
              (uint32_t)object->has_posters | (uint32_t)object->has_acquirers << 1);
  }
  for (uint32_t i = 0; i < analysis->model.process_count; i++)
    for (unsigned signal = 1; signal < 256; signal++)
      if (map_get(&analysis->model.processes[i].signal_senders, signal) == 0)
        map_put(&analysis->arena, &analysis->deps.mixed_sems, key_of_signal(&analysis->model.processes[i], signal), 1);
}

/* A deadlock that happened says more than the prediction of the same. */
static void drop_happened(struct analysis *analysis) {
  struct lock_cycles *cycles = &analysis->cycles;
  size_t kept = 0;
  for (size_t i = 0; i < cycles->possible.count; i++) {
    struct lock_cycle *cycle = &cycles->possible.items[i];
    struct object **locks = arena_alloc(&analysis->arena, cycle->length * sizeof(struct object *));
    for (uint32_t c = 0; c < cycle->length; c++)
      locks[c] = lock_cycle_lock(cycles, cycle, c);
    if (!deadlock_covers(&analysis->waits, locks, cycle->length))
      cycles->possible.items[kept++] = *cycle;
  }
  cycles->possible.count = kept;
}

static void check_locks(struct analysis *analysis) {
  struct lock_cycles *cycles = &analysis->cycles;
  *cycles = (struct lock_cycles){.arena = &analysis->arena, .model = &analysis->model, .deps = &analysis->deps};
  cycles->longest = analysis->options.cycle_length ? analysis->options.cycle_length : CYCLE_LENGTH;
  cycles->keep_impossible = analysis->options.show_impossible;
  if (analysis->options.only_blocked)
    return;
  note_mixed_sems(analysis);
  lock_cycles_find(cycles);
  drop_happened(analysis);
  fork_locks_settle(&analysis->fork_locks, &analysis->waits);
  lock_cycles_judge(cycles);
  if (analysis->has_accesses)
    data_races_find(&analysis->races, &analysis->arena, analysis->trace);
}

static int compare_found(const void *a, const void *b) {
  const struct finding *left = &((const struct found *)a)->finding, *right = &((const struct found *)b)->finding;
  if (left->level != right->level)
    return left->level > right->level ? -1 : 1;
  if (left->rule != right->rule)
    return left->rule < right->rule ? -1 : 1;
  int ids = strcmp(left->id, right->id);
  if (ids)
    return ids;
  uint64_t x = left->step_count ? left->steps[0].time_ns : 0, y = right->step_count ? right->steps[0].time_ns : 0;
  return (x > y) - (x < y);
}

static const struct finding *in_order(struct analysis *analysis, struct found_list *list) {
  struct finding *findings = arena_alloc(&analysis->arena, (list->count + 1) * sizeof *findings);
  if (list->count)
    qsort(list->items, list->count, sizeof *list->items, compare_found);
  for (size_t i = 0; i < list->count; i++)
    findings[i] = list->items[i].finding;
  return findings;
}

static void report_findings(struct analysis *analysis) {
  struct report *report = &analysis->report;
  struct describe *describe = &analysis->describe;
  struct leaks leaks = {.waits = &analysis->waits, .describe = describe};
  analysis->order = (struct lock_order){.cycles = &analysis->cycles, .describe = describe};
  deadlock_announce(&analysis->waits, describe);
  lock_order_announce(&analysis->cycles, describe);
  fork_locks_announce(&analysis->fork_locks, describe);
  handler_locks_announce(&analysis->handler_locks, describe);
  data_races_announce(&analysis->races, describe);
  misuses_announce(&analysis->misuses, describe);
  if (!analysis->options.only_blocked) {
    leaks_announce(&leaks);
    left_behind_announce(describe);
  }
  deadlock_report(&analysis->waits, describe, &analysis->found);
  fork_locks_report(&analysis->fork_locks, describe, &analysis->found);
  handler_locks_report(&analysis->handler_locks, describe, &analysis->found);
  data_races_report(&analysis->races, describe, &analysis->found);
  misuses_report(&analysis->misuses, describe, &analysis->found);
  lock_order_group(&analysis->order);
  lock_order_report(&analysis->order, &analysis->found, &analysis->impossible);
  if (!analysis->options.only_blocked) {
    leaks_report(&leaks, &analysis->found);
    left_behind_report(describe, &analysis->found);
  }
  report->findings = in_order(analysis, &analysis->found);
  report->finding_count = analysis->found.count;
  report->impossible = in_order(analysis, &analysis->impossible);
  report->impossible_count = analysis->impossible.count;
  report->impossible_hidden = analysis->options.show_impossible ? 0 : (size_t)analysis->cycles.impossible_count;
}

static void report_happens_before(struct analysis *analysis) {
  const struct describe *describe = &analysis->describe;
  int32_t *number_of = arena_alloc(&analysis->arena, (describe->marks.count + 1) * sizeof *number_of);
  for (size_t i = 0; i < describe->marks.count; i++)
    for (size_t f = 0; f < analysis->report.finding_count; f++)
      if (analysis->report.findings[f].steps == describe->marks.items[i].steps)
        number_of[i] = (int32_t)f + 1;
  analysis->report.happens_before =
      order_picture(&analysis->describe, &analysis->deps.mixed_sems, number_of, analysis->options.show_all);
}

static void report_pictures(struct analysis *analysis) {
  int32_t *cycle_of_core = arena_alloc(&analysis->arena, (analysis->waits.cores.count + 1) * sizeof *cycle_of_core);
  for (size_t i = 0; i < analysis->found.count; i++) {
    if (analysis->found.items[i].core >= 0)
      cycle_of_core[analysis->found.items[i].core] = (int32_t)i + 1;
    if (analysis->found.items[i].group >= 0)
      analysis->order.groups.items[analysis->found.items[i].group].number = (int32_t)i + 1;
  }
  bool show_all = analysis->options.show_all;
  analysis->report.wait_for = deadlock_picture(&analysis->waits, &analysis->describe, cycle_of_core, show_all);
  analysis->report.lock_order = lock_order_picture(&analysis->order, show_all);
  if (analysis->options.show_order)
    report_happens_before(analysis);
}

static void problem(struct analysis *analysis, const char *text) {
  vector_push(&analysis->arena, &analysis->problems) = text;
}

/* What recorders could not write, and children that could not begin a file: killed at once, or without the means. */
static void report_losses(struct analysis *analysis) {
  struct arena *arena = &analysis->arena;
  char line[512];
  for (uint32_t i = 0; i < trace_process_count(analysis->trace); i++)
    if (trace_print_loss(analysis->trace, i, line, sizeof line))
      problem(analysis, arena_print(arena, "%s", line));
  uint32_t lost = analysis->model.lost_forks;
  if (lost)
    problem(analysis, arena_print(arena, "%u forked process%s left no records", lost, lost == 1 ? "" : "es"));
}

/* Where the search for lock-order cycles stopped. */
static void report_limits(struct analysis *analysis) {
  struct arena *arena = &analysis->arena;
  const struct lock_cycles *cycles = &analysis->cycles;
  if (cycles->entangled > cycles->longest)
    problem(analysis,
            arena_print(arena, "lock-order cycles of more than %u locks were not looked for; %u locks are entangled",
                        cycles->longest, cycles->entangled));
  if (cycles->was_cut)
    problem(analysis, "the search for lock-order cycles was cut off: there may be more than those reported");
  if (cycles->impossible_was_cut)
    problem(analysis, arena_print(arena, "the count of impossible lock-order cycles was cut off at %" PRIu64,
                                  cycles->impossible_count));
  if (cycles->assignments_were_cut)
    problem(analysis, "not every choice of threads was tried for every lock-order cycle: a verdict may be too low");
  if (analysis->deps.were_too_many)
    problem(analysis,
            "the trace has too many objects: the order in which the last of them are locked was not compared");
}

/* Acquisitions whose later moments were not looked at. */
static void report_cut_moments(struct analysis *analysis) {
  uint64_t cut = 0;
  for (size_t i = 0; i < analysis->deps.all.count; i++) {
    const struct dependency *dep = analysis->deps.all.items[i];
    cut += dep && dep->is_candidate && dep->was_cut;
  }
  if (cut)
    problem(analysis,
            arena_print(&analysis->arena,
                        "of %" PRIu64 " lock acquisitions only the first moments were compared: a verdict may be "
                        "too low",
                        cut));
}

static void report_problems(struct analysis *analysis) {
  report_losses(analysis);
  for (size_t i = 0; i < trace_problem_count(analysis->trace); i++)
    problem(analysis, trace_problem_at(analysis->trace, i)->text);
  report_limits(analysis);
  report_cut_moments(analysis);
  analysis->report.problems = analysis->problems.items;
  analysis->report.problem_count = analysis->problems.count;
}

static void report_processes(struct analysis *analysis) {
  struct report *report = &analysis->report;
  report->process_count = analysis->model.process_count;
  struct finding_process *processes = arena_alloc(&analysis->arena, (report->process_count + 1) * sizeof *processes);
  for (uint32_t i = 0; i < report->process_count; i++) {
    const struct trace_process *info = trace_process_at(analysis->trace, i);
    processes[i] = (struct finding_process){.pid = info->pid,
                                            .parent_pid = info->parent_pid,
                                            .exe = info->exe ? info->exe : "",
                                            .command = info->command ? info->command : "",
                                            .threads = info->threads,
                                            .ended = info->ended,
                                            .exit_status = info->exit_status};
  }
  report->processes = processes;
}

static void report_stats(struct analysis *analysis) {
  const struct model *model = &analysis->model;
  struct report *report = &analysis->report;
  report->stats.records = model->records + trace_passed_over(analysis->trace);
  report->stats.threads = model->thread_serials;
  report->stats.objects = model->object_serials;
  report->stats.bytes = trace_bytes(analysis->trace);
  if (model->records)
    report->stats.seconds =
        (double)(trace_ns(analysis->trace, model->last_time) - trace_ns(analysis->trace, model->first_time)) / 1e9;
  report->is_complete = trace_is_complete(analysis->trace);
  report->dropped = trace_dropped(analysis->trace);
}

/* False: memory ran out. */
static bool run(struct analysis *analysis, const char *name) {
  if (setjmp(analysis->failed))
    return false;
  analysis->report.trace = arena_copy(&analysis->arena, name, strlen(name));
  replay(analysis);
  wait_graph_build(&analysis->waits, &analysis->arena, &analysis->model);
  check_locks(analysis);
  describe_init(&analysis->describe, &analysis->arena, &analysis->model, analysis->symbols);
  handler_locks_judge(&analysis->handler_locks, &analysis->describe, &analysis->waits);
  report_findings(analysis);
  report_pictures(analysis);
  report_problems(analysis);
  if (!analysis->options.only_blocked)
    unseen_report(&analysis->unseen, &analysis->describe, &analysis->report);
  report_processes(analysis);
  report_stats(analysis);
  return true;
}

struct analysis *analysis_new(struct trace *trace, const char *name, const struct analysis_options *options) {
  struct analysis *analysis = calloc(1, sizeof *analysis);
  if (!analysis)
    return NULL;
  arena_init(&analysis->arena, &analysis->failed);
  analysis->trace = trace;
  analysis->options = *options;
  analysis->symbols = symbols_new(trace);
  if (analysis->symbols && run(analysis, name))
    return analysis;
  analysis_free(analysis);
  return NULL;
}

const struct report *analysis_report(const struct analysis *analysis) { return &analysis->report; }

void analysis_free(struct analysis *analysis) {
  if (!analysis)
    return;
  symbols_free(analysis->symbols);
  arena_destroy(&analysis->arena);
  free(analysis);
}
