/* SPDX-License-Identifier: MIT
 *
 * Rows in sequence, and the segments they form: an OWNER row says whose the following rows are, a TIME row after it
 * gives the upper half of their clock. Thread of the trace only.
 */
#include "reader_private.h"
#include <string.h>

/* Past a chunk of nothing but zeros, ask the file system where data goes on: a sparse file may claim gigabytes. */
static void skip_hole(struct rows *rows) {
  if (rows->end - rows->base < HOLE_WORTH_SKIPPING || !is_zero(rows->buffer, rows->count * SNARLI_ROW))
    return;
  uint64_t data = file_next_data(rows->file, rows->offset);
  if (data > rows->end)
    data = rows->end;
  if (data > rows->offset)
    rows->offset += (data - rows->offset) / SNARLI_ROW * SNARLI_ROW;
}

/* A damaged size makes a window swallow the next one. A row that is a window's header, where one can be, is where the
 * outer window's rows end; rows of the inner one follow if it holds records, with their owner first. */
static void stop_at_window(struct rows *rows) {
  size_t first = (size_t)((PAGE_SIZE - rows->base % PAGE_SIZE) % PAGE_SIZE / SNARLI_ROW);
  for (size_t i = first; i < rows->count; i += PAGE_SIZE / SNARLI_ROW) {
    struct snarli_window header;
    memcpy(&header, &rows->buffer[i], sizeof header);
    if (!window_is_header(&header))
      continue;
    uint64_t offset = rows->base + i * SNARLI_ROW;
    problem_add(rows->file->trace, rows->file, PROBLEM_WINDOW_SWALLOWED, TRACE_CORRUPT, 1,
                "%s: a window lies within another at offset %llu: the size of the outer one is wrong", rows->file->path,
                (unsigned long long)offset);
    rows->count = i;
    rows->offset = offset + (header.kind == SNARLI_W_RECORDS ? SNARLI_ROW : header.size);
  }
}

bool rows_fill(struct rows *rows) {
  rows->at = rows->count = 0;
  while (rows->offset + SNARLI_ROW <= rows->end) {
    rows->base = rows->offset;
    uint64_t wanted = (rows->end - rows->base) / SNARLI_ROW;
    if (wanted > rows->room)
      wanted = rows->room;
    rows->count = file_read(rows->file, rows->base, rows->buffer, (size_t)wanted * SNARLI_ROW) / SNARLI_ROW;
    rows->offset += rows->count * SNARLI_ROW;
    if (rows->count < wanted)
      rows->end = rows->offset; /* the file became shorter; file_read told what it knew */
    stop_at_window(rows);
    if (rows->count && !is_zero(rows->buffer, rows->count * SNARLI_ROW))
      return true;
    rows->zeros += rows->count;
    skip_hole(rows);
    rows->count = 0;
  }
  return false;
}

bool rows_next(struct rows *rows, struct snarli_record *row, uint64_t *offset) {
  if (rows->at == rows->count && !rows_fill(rows))
    return false;
  *row = rows->buffer[rows->at];
  *offset = rows->base + rows->at * SNARLI_ROW;
  rows->at++;
  return true;
}

static void tell_unowned(struct trace_file *file, uint64_t offset, uint64_t count) {
  if (count)
    problem_add(file->trace, file, PROBLEM_NO_OWNER, TRACE_CORRUPT, count,
                "%s: the record at offset %llu has no thread that it belongs to: skipped", file->path,
                (unsigned long long)offset);
}

bool segment_find(struct trace_file *file, uint64_t offset, uint64_t end, struct segment *out, bool is_told) {
  struct snarli_record buffer[ROWS_FIRST], row;
  struct rows rows = {.file = file, .offset = offset, .end = end, .buffer = buffer, .room = 4};
  uint64_t at, unowned = 0, unowned_at = 0;
  uint64_t upper = file->header.begin_ticks >> 32;
  bool is_owned = false;
  while (rows_next(&rows, &row, &at)) {
    unsigned type = row.head & 0xff;
    rows.room = ROWS_FIRST;
    if (type == SNARLI_R_OWNER) {
      *out = (struct segment){.offset = at, .end = end, .thread = row.aux, .tid = (uint32_t)(row.head >> 16)};
      is_owned = true;
    } else if (type == SNARLI_R_TIME) {
      upper = (uint32_t)(row.head >> 16);
    } else if (record_ranks[type] != RANK_NONE && is_owned) {
      out->time = upper << 32 | row.time;
      out->type = (uint8_t)type;
      break;
    } else if (record_ranks[type] != RANK_NONE && unowned++ == 0) {
      unowned_at = at;
    }
  }
  bool is_found = is_owned && out->type != 0;
  if (is_told || is_found)
    tell_unowned(file, unowned_at, unowned);
  return is_found;
}
