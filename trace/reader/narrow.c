/* SPDX-License-Identifier: MIT
 *
 * A trace narrowed to what a question needs: of hundred million records, those on the few objects that somebody waits
 * for can be read in a fraction of the time that all of them take, because what is passed over never enters the merge.
 * Thread of the trace only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

static bool is_narrowed(const struct trace_record_info *info, bool with_conditions) {
  if (!info || info->object != SNARLI_OBJECT_ADDRESS)
    return false;
  switch (info->family) {
  case SNARLI_MUTEX:
  case SNARLI_RWLOCK:
  case SNARLI_SPIN:
  case SNARLI_SEM:
  case SNARLI_BARRIER:
  case SNARLI_ONCE:
    return true;
  case SNARLI_COND:
    return !with_conditions;
  default:
    return false;
  }
}

static int compare_addresses(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

static size_t bit_of(uint64_t address) { return (size_t)(address * 0x9e3779b97f4a7c15ull >> 52); }

/* Memory that processes share has another address in each: all that lies in it is kept. */
static bool is_shared(const struct trace_file *file, uint64_t address) {
  for (size_t i = 0; i < file->mapping_count && file->mappings[i].lo <= address; i++)
    if (address < file->mappings[i].hi)
      return true;
  return false;
}

bool narrow_keeps(const struct narrow *narrow, const struct trace_file *file, uint64_t address) {
  size_t bit = bit_of(address);
  if (narrow->bits[bit / 64] >> bit % 64 & 1 &&
      bsearch(&address, narrow->addresses, narrow->count, sizeof address, compare_addresses))
    return true;
  return file->mapping_count && is_shared(file, address);
}

void narrow_free(struct narrow *narrow) {
  if (!narrow)
    return;
  free(narrow->addresses);
  free(narrow);
}

static struct narrow *narrow_new(const uint64_t *addresses, size_t count) {
  struct narrow *narrow = calloc(1, sizeof *narrow);
  if (!narrow || !(narrow->addresses = malloc((count + 1) * sizeof *addresses))) {
    free(narrow);
    return NULL;
  }
  if (count)
    memcpy(narrow->addresses, addresses, count * sizeof *addresses);
  narrow->count = count;
  return narrow;
}

void trace_narrow(struct trace *trace, const uint64_t *addresses, size_t count, bool with_conditions) {
  narrow_free(trace->narrow);
  trace->narrow = narrow_new(addresses, count);
  struct narrow *narrow = trace->narrow;
  if (!narrow)
    return; /* everything is read */
  qsort(narrow->addresses, count, sizeof *narrow->addresses, compare_addresses);
  for (size_t i = 0; i < count; i++)
    narrow->bits[bit_of(narrow->addresses[i]) / 64] |= 1ull << bit_of(narrow->addresses[i]) % 64;
  for (unsigned type = 0; type < 256; type++)
    narrow->types[type] = is_narrowed(trace_record_info(type), with_conditions);
}

uint64_t trace_passed_over(const struct trace *trace) { return trace->narrow ? trace->narrow->passed_over : 0; }
