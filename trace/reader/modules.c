/* SPDX-License-Identifier: MIT
 *
 * The modules of a process: what code lay where, and when. Thread of the trace only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

bool modules_load(struct trace_file *file, uint64_t time, const char *payload, size_t size) {
  struct snarli_module head;
  if (size < sizeof head)
    return false;
  memcpy(&head, payload, sizeof head);
  payload += sizeof head;
  size -= sizeof head;
  if (head.lo >= head.hi || head.build_id_size > size)
    return false;
  struct trace_module module = {.base = head.base,
                                .lo = head.lo,
                                .hi = head.hi,
                                .loaded = time,
                                .unloaded = UINT64_MAX,
                                .build_id_size = head.build_id_size};
  struct arena *arena = &file->trace->arena;
  module.build_id = arena_bytes(arena, payload, head.build_id_size, head.build_id_size + 1u);
  module.path = arena_text(arena, payload + head.build_id_size, size - head.build_id_size);
  if (!module.build_id || !module.path ||
      !array_grow(&file->modules, &file->module_room, file->module_count, sizeof module))
    problem_out_of_memory(file->trace);
  else
    file->modules[file->module_count++] = module;
  return true;
}

void modules_unload(struct trace_file *file, uint64_t time, uint64_t base) {
  if (!array_grow(&file->unloads, &file->unload_room, file->unload_count, sizeof *file->unloads))
    problem_out_of_memory(file->trace);
  else
    file->unloads[file->unload_count++] = (struct unload){base, time};
}

static int unload_compare(const void *left, const void *right) {
  const struct unload *a = left, *b = right;
  if (a->base != b->base)
    return a->base < b->base ? -1 : 1;
  return a->time < b->time ? -1 : a->time > b->time;
}

/* The first unload of its base after it was loaded ends a module. */
static void unloads_apply(struct trace_file *file) {
  if (file->unload_count)
    qsort(file->unloads, file->unload_count, sizeof *file->unloads, unload_compare);
  for (size_t i = 0; i < file->module_count; i++) {
    struct trace_module *module = &file->modules[i];
    size_t low = 0, high = file->unload_count;
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      const struct unload *unload = &file->unloads[middle];
      if (unload->base < module->base || (unload->base == module->base && unload->time <= module->loaded))
        low = middle + 1;
      else
        high = middle;
    }
    if (low < file->unload_count && file->unloads[low].base == module->base)
      module->unloaded = file->unloads[low].time;
  }
  free(file->unloads);
  file->unloads = NULL;
  file->unload_count = file->unload_room = 0;
}

static int module_compare(const void *left, const void *right) {
  const struct trace_module *a = left, *b = right;
  if (a->lo != b->lo)
    return a->lo < b->lo ? -1 : 1;
  if (a->loaded != b->loaded)
    return a->loaded < b->loaded ? -1 : 1;
  return a->hi < b->hi ? -1 : a->hi > b->hi;
}

void modules_sort(struct trace_file *file) {
  unloads_apply(file);
  if (!file->module_count)
    return;
  qsort(file->modules, file->module_count, sizeof *file->modules, module_compare);
  file->module_reach = malloc(file->module_count * sizeof *file->module_reach);
  if (!file->module_reach) {
    problem_out_of_memory(file->trace);
    file->module_count = 0;
    return;
  }
  uint64_t reach = 0;
  for (size_t i = 0; i < file->module_count; i++) {
    reach = file->modules[i].hi > reach ? file->modules[i].hi : reach;
    file->module_reach[i] = reach;
  }
}

size_t trace_module_count(const struct trace *trace, uint32_t process) {
  return process < trace->file_count ? trace->files[process]->module_count : 0;
}

const struct trace_module *trace_module_at(const struct trace *trace, uint32_t process, size_t i) {
  return i < trace_module_count(trace, process) ? &trace->files[process]->modules[i] : NULL;
}

/* The recorder learns of a module shortly after it is loaded, so a record may be a little older than the module that
 * its call came from: without a module at that time, the first one later is it. */
const struct trace_module *trace_module_of(const struct trace *trace, uint32_t process, uint64_t pc, uint64_t time) {
  if (process >= trace->file_count)
    return NULL;
  const struct trace_file *file = trace->files[process];
  const struct trace_module *held = NULL, *later = NULL;
  size_t below = ARRAY_COUNT_TO(file->modules, file->module_count, lo, pc);
  for (size_t i = below; i-- > 0 && file->module_reach[i] > pc;) {
    const struct trace_module *module = &file->modules[i];
    if (pc >= module->hi || time >= module->unloaded)
      continue;
    if (module->loaded <= time && (!held || module->loaded > held->loaded))
      held = module;
    if (module->loaded > time && (!later || module->loaded < later->loaded))
      later = module;
  }
  return held ? held : later;
}
