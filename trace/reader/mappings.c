/* SPDX-License-Identifier: MIT
 *
 * Memory that processes share: which address was which place of which file, and when. Events come in the order of
 * time; what is mapped at one time never overlaps, since a new mapping replaces what lay there. Thread of the trace
 * only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

static bool mapping_add(struct trace_file *file, const struct trace_mapping *mapping) {
  if (!array_grow(&file->mappings, &file->mapping_room, file->mapping_count, sizeof *mapping)) {
    problem_out_of_memory(file->trace);
    return false;
  }
  file->mappings[file->mapping_count++] = *mapping;
  return true;
}

/* What is left of a mapping below `lo` and above `hi` goes on as mappings of their own. */
static void mapping_carve(struct trace_file *file, size_t i, uint64_t time, uint64_t lo, uint64_t hi) {
  struct trace_mapping below = file->mappings[i], above = file->mappings[i];
  file->mappings[i].until = time;
  below.since = above.since = time;
  below.hi = lo;
  above.lo = hi;
  above.offset += hi - file->mappings[i].lo;
  if (below.lo < below.hi)
    (void)mapping_add(file, &below);
  if (above.lo < above.hi)
    (void)mapping_add(file, &above);
}

void mappings_unmap(struct trace_file *file, uint64_t time, uint64_t lo, uint64_t hi) {
  size_t count = file->mapping_count; /* the remainders do not overlap [lo, hi) */
  for (size_t i = 0; i < count; i++)
    if (file->mappings[i].until == UINT64_MAX && file->mappings[i].lo < hi && lo < file->mappings[i].hi)
      mapping_carve(file, i, time, lo, hi);
}

bool mappings_map(struct trace_file *file, uint64_t time, uint64_t offset, const char *payload, size_t size) {
  (void)offset;
  struct snarli_mapping head;
  if (size < sizeof head)
    return false;
  memcpy(&head, payload, sizeof head);
  if (head.lo >= head.hi)
    return false;
  struct trace_mapping mapping = {.lo = head.lo,
                                  .hi = head.hi,
                                  .device = head.device,
                                  .inode = head.inode,
                                  .offset = head.offset,
                                  .since = time,
                                  .until = UINT64_MAX};
  mapping.path = arena_text(&file->trace->arena, payload + sizeof head, size - sizeof head);
  if (!mapping.path) {
    problem_out_of_memory(file->trace);
    return true;
  }
  mappings_unmap(file, time, head.lo, head.hi);
  (void)mapping_add(file, &mapping);
  return true;
}

static int mapping_compare(const void *left, const void *right) {
  const struct trace_mapping *a = left, *b = right;
  if (a->lo != b->lo)
    return a->lo < b->lo ? -1 : 1;
  if (a->since != b->since)
    return a->since < b->since ? -1 : 1;
  return a->hi < b->hi ? -1 : a->hi > b->hi;
}

void mappings_sort(struct trace_file *file) {
  if (!file->mapping_count)
    return;
  qsort(file->mappings, file->mapping_count, sizeof *file->mappings, mapping_compare);
  file->mapping_reach = malloc(file->mapping_count * sizeof *file->mapping_reach);
  if (!file->mapping_reach) {
    problem_out_of_memory(file->trace);
    file->mapping_count = 0;
    return;
  }
  uint64_t reach = 0;
  for (size_t i = 0; i < file->mapping_count; i++) {
    reach = file->mappings[i].hi > reach ? file->mappings[i].hi : reach;
    file->mapping_reach[i] = reach;
  }
}

size_t trace_mapping_count(const struct trace *trace, uint32_t process) {
  return process < trace->file_count ? trace->files[process]->mapping_count : 0;
}

const struct trace_mapping *trace_mapping_at(const struct trace *trace, uint32_t process, size_t i) {
  return i < trace_mapping_count(trace, process) ? &trace->files[process]->mappings[i] : NULL;
}

static size_t count_at_or_below(const struct trace_file *file, uint64_t address) {
  size_t low = 0, high = file->mapping_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (file->mappings[middle].lo <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const struct trace_mapping *trace_mapping_of(const struct trace *trace, uint32_t process, uint64_t address,
                                             uint64_t time) {
  if (process >= trace->file_count)
    return NULL;
  const struct trace_file *file = trace->files[process];
  for (size_t i = count_at_or_below(file, address); i-- > 0 && file->mapping_reach[i] > address;) {
    const struct trace_mapping *mapping = &file->mappings[i];
    if (address < mapping->hi && mapping->since <= time && time < mapping->until)
      return mapping;
  }
  return NULL;
}
