/* SPDX-License-Identifier: MIT
 *
 * Memory that processes share: which address was which place of which file, and when. Events come in the order of
 * time; what is mapped at one time never overlaps, since a new mapping replaces what lay there. Thread of the trace
 * only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

/* How many of those that are mapped now end at or below `address`. */
static size_t mapped_below(const struct trace_file *file, uint64_t address) {
  size_t low = 0, high = file->mapped_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (file->mappings[file->mapped[middle]].hi <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void mapping_add(struct trace_file *file, const struct trace_mapping *mapping) {
  if (!array_grow(&file->mappings, &file->mapping_room, file->mapping_count, sizeof *mapping) ||
      !array_grow(&file->mapped, &file->mapped_room, file->mapped_count, sizeof *file->mapped)) {
    problem_out_of_memory(file->trace);
    return;
  }
  size_t at = mapped_below(file, mapping->lo);
  memmove(&file->mapped[at + 1], &file->mapped[at], (file->mapped_count - at) * sizeof *file->mapped);
  file->mapped[at] = file->mapping_count;
  file->mapped_count++;
  file->mappings[file->mapping_count++] = *mapping;
}

/* What is left of a mapping below `lo` and above `hi` goes on as mappings of their own. */
static void remainders_add(struct trace_file *file, const struct trace_mapping *ended, uint64_t lo, uint64_t hi) {
  struct trace_mapping below = *ended, above = *ended;
  below.since = above.since = ended->until;
  below.until = above.until = UINT64_MAX;
  below.hi = lo;
  above.lo = hi;
  above.offset += hi - ended->lo;
  if (below.lo < below.hi)
    mapping_add(file, &below);
  if (above.lo < above.hi)
    mapping_add(file, &above);
}

void mappings_unmap(struct trace_file *file, uint64_t time, uint64_t lo, uint64_t hi) {
  size_t first = mapped_below(file, lo), end = first;
  struct trace_mapping lowest = {0}, highest = {0};
  for (; end < file->mapped_count && file->mappings[file->mapped[end]].lo < hi; end++) {
    file->mappings[file->mapped[end]].until = time;
    highest = file->mappings[file->mapped[end]];
    lowest = end == first ? highest : lowest;
  }
  if (end == first)
    return;
  memmove(&file->mapped[first], &file->mapped[end], (file->mapped_count - end) * sizeof *file->mapped);
  file->mapped_count -= end - first;
  remainders_add(file, &lowest, lo, lowest.hi > hi ? hi : lowest.hi);
  if (end - first > 1)
    remainders_add(file, &highest, highest.lo, hi);
}

bool mappings_map(struct trace_file *file, uint64_t time, const char *payload, size_t size) {
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
  mapping_add(file, &mapping);
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
  free(file->mapped);
  file->mapped = NULL;
  file->mapped_count = file->mapped_room = 0;
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

const struct trace_mapping *trace_mapping_of(const struct trace *trace, uint32_t process, uint64_t address,
                                             uint64_t time) {
  if (process >= trace->file_count)
    return NULL;
  const struct trace_file *file = trace->files[process];
  size_t below = ARRAY_COUNT_TO(file->mappings, file->mapping_count, lo, address);
  for (size_t i = below; i-- > 0 && file->mapping_reach[i] > address;) {
    const struct trace_mapping *mapping = &file->mappings[i];
    if (address < mapping->hi && mapping->since <= time && time < mapping->until)
      return mapping;
  }
  return NULL;
}
