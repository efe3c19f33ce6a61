/* SPDX-License-Identifier: MIT
 *
 * See walk.h.
 */
#include "walk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must_hold(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "does not hold: %s\n", what);
  abort();
}

#define HOLDS(condition) must_hold((condition), #condition)

static void walk_process(const struct trace *trace, uint32_t i) {
  const struct trace_process *process = trace_process_at(trace, i);
  HOLDS(process && process->exe && process->command && process->file);
  HOLDS(process->parent >= -1 && process->parent < (int32_t)i);
  HOLDS(strlen(process->exe) + strlen(process->command) < SIZE_MAX);
  for (size_t j = 0; j < trace_module_count(trace, i); j++) {
    const struct trace_module *module = trace_module_at(trace, i, j);
    HOLDS(module->lo < module->hi && module->path && module->loaded <= module->unloaded);
    const struct trace_module *found = trace_module_of(trace, i, module->lo, module->loaded);
    HOLDS(module->loaded == module->unloaded || (found && found->lo <= module->lo && module->lo < found->hi));
    for (uint32_t k = 0; k < module->build_id_size; k++)
      HOLDS(module->build_id[k] <= 0xff);
  }
  for (size_t j = 0; j < trace_mapping_count(trace, i); j++) {
    const struct trace_mapping *mapping = trace_mapping_at(trace, i, j);
    HOLDS(mapping->lo < mapping->hi && mapping->path && mapping->since <= mapping->until);
    HOLDS(mapping->since == mapping->until || trace_mapping_of(trace, i, mapping->hi - 1, mapping->since) == mapping);
  }
  HOLDS(trace_module_at(trace, i, trace_module_count(trace, i)) == NULL);
  HOLDS(trace_mapping_at(trace, i, trace_mapping_count(trace, i)) == NULL);
}

static void walk_stack(const struct trace *trace, const struct trace_record *record) {
  uint64_t pcs[32];
  size_t count = trace_stack(trace, record->process, record->aux, pcs, 32);
  for (size_t i = 0; i < count && i < 32; i++) {
    const struct trace_symbol *symbol = trace_symbol_of(trace, record->process, pcs[i]);
    HOLDS(!symbol || (symbol->pc == pcs[i] && strlen(symbol->function) + strlen(symbol->file) < SIZE_MAX));
    (void)trace_module_of(trace, record->process, pcs[i], record->time);
  }
}

static void walk_record(const struct trace *trace, const struct trace_record *record) {
  char line[400], cut[20];
  const struct trace_record_info *info = trace_record_info(record->type);
  HOLDS(info && record->type != SNARLI_R_OWNER && record->type != SNARLI_R_TIME);
  HOLDS(record->process < trace_process_count(trace));
  int size = trace_print_record(trace, record, line, sizeof line);
  HOLDS(size > 0 && trace_print_record(trace, record, cut, sizeof cut) == size && !strchr(line, '\n'));
  HOLDS(strncmp(line, cut, sizeof cut - 1) == 0);
  if (info->aux == SNARLI_AUX_STACK)
    walk_stack(trace, record);
  const struct trace_channel *channel = trace_channel(trace, record->process, record->aux);
  HOLDS(!channel || (strlen(channel->name) < SIZE_MAX && *trace_channel_kind(channel->what.kind)));
  const struct trace_mapping *mapping = trace_mapping_of(trace, record->process, record->object, record->time);
  HOLDS(!mapping || (mapping->lo <= record->object && record->object < mapping->hi));
}

static uint64_t walk_records(struct trace *trace, uint64_t *digest) {
  struct trace_record record, before = {0};
  uint64_t count = 0, ns = 0;
  *digest = 0;
  for (; trace_next(trace, &record); count++, before = record) {
    HOLDS(before.time <= record.time && ns <= trace_ns(trace, record.time));
    ns = trace_ns(trace, record.time);
    *digest = (*digest ^ record.time ^ record.object << 7 ^ record.thread ^ record.type) * 0x9e3779b97f4a7c15ull;
    walk_record(trace, &record);
  }
  HOLDS(!trace_next(trace, &record));
  return count;
}

struct last_walk {
  struct trace *trace;
  uint32_t process;
  int64_t thread;
};

static void walk_last(const struct trace_record *last, void *context) {
  struct last_walk *walk = context;
  HOLDS(last->process < trace_process_count(walk->trace));
  HOLDS(!trace_process_at(walk->trace, last->process)->ended);
  HOLDS(last->process > walk->process || (last->process == walk->process && last->thread > walk->thread));
  HOLDS(trace_record_info(last->type) != NULL);
  walk->process = last->process;
  walk->thread = last->thread;
}

bool trace_walk(const char *path, struct walk *walk, struct trace_problem *problem) {
  struct trace *trace = trace_open(path, problem);
  uint64_t digest, again;
  if (!trace) {
    HOLDS(problem->status < 0 && problem->text[0] && !strchr(problem->text, '\n'));
    return false;
  }
  HOLDS(trace_process_count(trace) > 0 && !trace_process_at(trace, trace_process_count(trace)));
  for (uint32_t i = 0; i < trace_process_count(trace); i++)
    walk_process(trace, i);
  trace_last_records(trace, walk_last, &(struct last_walk){trace, 0, -1});
  walk->records = walk_records(trace, &digest);
  walk->problems = trace_problem_count(trace);
  walk->is_complete = trace_is_complete(trace);
  trace_rewind(trace);
  HOLDS(walk_records(trace, &again) == walk->records && again == digest);
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    HOLDS(trace_problem_at(trace, i)->status < 0 && trace_problem_at(trace, i)->text[0] &&
          !strchr(trace_problem_at(trace, i)->text, '\n'));
  HOLDS(trace_problem_at(trace, trace_problem_count(trace)) == NULL);
  HOLDS(!trace_string(trace, 0, 0) && trace_bytes(trace) < UINT64_MAX);
  HOLDS(trace_is_complete(trace) == (trace_problem_count(trace) == 0 && trace_dropped(trace) == 0));
  trace_close(trace);
  return true;
}
