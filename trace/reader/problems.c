/* SPDX-License-Identifier: MIT
 *
 * What is wrong with a trace, one line for each kind of damage of each file: the first of a kind is told with its
 * place, the others are counted, so that a hostile file cannot make millions of lines. Thread of the trace only.
 */
#include "reader_private.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looked up for each damaged row of a hostile file, hence the place that each file keeps for each kind. A place may be
 * stale after trace_rewind. */
static struct problem *problem_of_kind(const struct trace *trace, const struct trace_file *file,
                                       enum problem_kind kind) {
  size_t place = file ? file->problems[kind] : trace->problems_of_trace[kind];
  if (place >= trace->problem_count)
    return NULL;
  struct problem *problem = &trace->problems[place];
  return problem->file == file && problem->kind == kind ? problem : NULL;
}

/* Control characters of a file name or a string must not break the line. */
static void make_one_line(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 127)
      *text = '?';
}

void problem_add(struct trace *trace, struct trace_file *file, enum problem_kind kind, enum trace_status status,
                 uint64_t count, const char *format, ...) {
  if (trace->is_muted)
    return;
  struct problem *problem = problem_of_kind(trace, file, kind);
  if (problem) {
    problem->count += count;
    return;
  }
  if (!array_grow(&trace->problems, &trace->problem_room, trace->problem_count, sizeof *problem))
    return;
  problem = &trace->problems[trace->problem_count];
  memset(problem, 0, sizeof *problem);
  *(file ? &file->problems[kind] : &trace->problems_of_trace[kind]) = trace->problem_count++;
  problem->file = file;
  problem->kind = kind;
  problem->count = count;
  problem->shown.status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem->shown.text, sizeof problem->shown.text - 48, format, arguments);
  va_end(arguments);
  make_one_line(problem->shown.text);
  problem->base = strlen(problem->shown.text);
}

void problem_of_file(struct trace *trace, const struct trace_problem *refused) {
  struct problem *problem;
  if (!array_grow(&trace->problems, &trace->problem_room, trace->problem_count, sizeof *problem))
    return;
  problem = &trace->problems[trace->problem_count++];
  *problem = (struct problem){.shown = *refused, .kind = PROBLEM_FILE, .count = 1};
  make_one_line(problem->shown.text);
  problem->base = strlen(problem->shown.text);
}

void problem_out_of_memory(struct trace *trace) {
  problem_add(trace, NULL, PROBLEM_MEMORY, TRACE_NO_MEMORY, 1, "%s: out of memory: not everything could be read",
              trace->path);
}

size_t trace_problem_count(const struct trace *trace) { return trace->problem_count; }

/* 1234567 -> 1,234,567 */
static void number_with_commas(char *out, size_t size, uint64_t number) {
  char digits[24];
  int count = snprintf(digits, sizeof digits, "%" PRIu64, number);
  size_t at = 0;
  for (int i = 0; i < count && at + 2 < size; i++) {
    if (i && (count - i) % 3 == 0)
      out[at++] = ',';
    out[at++] = digits[i];
  }
  out[at] = 0;
}

const struct trace_problem *trace_problem_at(const struct trace *trace, size_t i) {
  if (i >= trace->problem_count)
    return NULL;
  struct problem *problem = &trace->problems[i];
  char more[32];
  number_with_commas(more, sizeof more, problem->count - 1);
  problem->shown.text[problem->base] = 0;
  if (problem->count > 1)
    snprintf(problem->shown.text + problem->base, sizeof problem->shown.text - problem->base, " (and %s more like it)",
             more);
  return &problem->shown;
}
