/* SPDX-License-Identifier: MIT
 *
 * snarl dump: the records of a trace, one line each. Main thread.
 */
#include "commands.h"
#include "complain.h"

#include <snarl/trace/reader.h>
#include <stdio.h>
#include <stdlib.h>

static void dump_modules(const struct trace *trace, uint32_t process) {
  for (size_t i = 0; i < trace_module_count(trace, process); i++) {
    const struct trace_module *module = trace_module_at(trace, process, i);
    printf("# module %u: 0x%llx-0x%llx base 0x%llx build id ", process, (unsigned long long)module->lo,
           (unsigned long long)module->hi, (unsigned long long)module->base);
    for (uint32_t j = 0; j < module->build_id_size; j++)
      printf("%02x", module->build_id[j]);
    printf("%s %s\n", module->build_id_size ? "" : "unknown", module->path);
  }
}

static void dump_processes(const struct trace *trace) {
  for (uint32_t i = 0; i < trace_process_count(trace); i++) {
    const struct trace_process *process = trace_process_at(trace, i);
    printf("# process %u: pid %u parent %u%s%s %s\n", i, process->pid, process->parent_pid,
           process->forked ? " forked" : "", process->execed ? " execed" : "", process->command);
    dump_modules(trace, i);
  }
}

/* One line of any length; false: out of memory or the output cannot be written. */
static bool dump_record(const struct trace *trace, const struct trace_record *record, char **line, size_t *room) {
  int length = trace_print_record(trace, record, *line, *room);
  if (length < 0)
    return false;
  if ((size_t)length >= *room) {
    char *longer = realloc(*line, (size_t)length + 1);
    if (!longer)
      return complain("out of memory"), false;
    *line = longer;
    *room = (size_t)length + 1;
    trace_print_record(trace, record, *line, *room);
  }
  return puts(*line) >= 0;
}

int command_dump(const struct options *options) {
  struct trace_problem problem = {0};
  struct trace *trace = trace_open(options->arguments[0], &problem);
  if (!trace)
    return complain("%s", problem.text), EXIT_TRACE;
  dump_processes(trace);
  struct trace_record record;
  char *line = NULL;
  size_t room = 0;
  while (trace_next(trace, &record) && dump_record(trace, &record, &line, &room))
    ;
  free(line);
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    complain("%s", trace_problem_at(trace, i)->text);
  trace_close(trace);
  return EXIT_OK;
}
