/* SPDX-License-Identifier: MIT
 *
 * The newest record of each thread of an image that has not ended. A thread's newest rows lie in the newest window that
 * it began, or in what another thread, which has ended, left over of its newest: only those windows are read.
 *
 * It is also what makes the reading of a growing trace a snapshot. Every record stamped up to the newest of these
 * (trace->cut), and everything that such a record can depend on, was written before; what is written from now on
 * is told by its place (after window->tail) and its time. Thread of the trace only.
 */
#include "reader_private.h"
#include <stdlib.h>

static int by_thread_and_time(const void *left, const void *right) {
  const struct segment *a = &(*(struct window *const *)left)->first, *b = &(*(struct window *const *)right)->first;
  if (a->thread != b->thread)
    return a->thread < b->thread ? -1 : 1;
  if (a->time != b->time)
    return a->time < b->time ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void last_add(struct trace_file *file, const struct trace_record *record) {
  if (record->type == 0)
    return;
  if (!array_grow(&file->last, &file->last_room, file->last_count, sizeof *file->last))
    problem_out_of_memory(file->trace);
  else
    file->last[file->last_count++] = (struct newest){*record, file->trace->last_found++};
}

/* Reads the rows that it has not read before. */
static void window_scan(struct trace_file *file, struct window *window, struct snarli_record *buffer) {
  struct rows rows = {.file = file,
                      .offset = window->scanned ? window->scanned : window->offset + sizeof(struct snarli_window),
                      .end = window->end,
                      .buffer = buffer,
                      .room = ROWS_PER_READ};
  struct trace_record last = {.thread = window->owner, .tid = window->tid};
  struct snarli_record row;
  uint64_t offset, upper = window->scanned ? window->upper : file->header.begin_ticks >> 32, tail = rows.offset;
  bool is_owned = window->is_owned;
  while (rows_next(&rows, &row, &offset)) {
    unsigned type = row.head & 0xff, rank = record_ranks[type];
    if (row.head)
      tail = offset + SNARLI_ROW;
    if (type == SNARLI_R_OWNER) {
      last_add(file, &last);
      last = (struct trace_record){.thread = row.aux, .tid = (uint32_t)(row.head >> 16)};
      is_owned = true;
    } else if (type == SNARLI_R_TIME) {
      upper = (uint32_t)(row.head >> 16);
    } else if (rank != RANK_NONE && is_owned) {
      uint64_t time = upper << 32 | row.time;
      last.time = time > last.time ? time : last.time;
      last.object = row.head >> 16;
      last.aux = row.aux;
      last.type = (uint8_t)type;
      last.arg = (uint8_t)(row.head >> 8);
    }
  }
  last_add(file, &last);
  if (!window->scanned && !file->trace->merge) /* later the moment that is shown is fixed */
    window->tail = tail;
  window->scanned = tail;
  window->upper = upper;
  window->owner = last.thread;
  window->tid = last.tid;
  window->is_owned = is_owned;
}

static int record_by_thread(const void *left, const void *right) {
  const struct newest *a = left, *b = right;
  if (a->record.thread != b->record.thread)
    return a->record.thread < b->record.thread ? -1 : 1;
  if (a->record.time != b->record.time)
    return a->record.time < b->record.time ? -1 : 1;
  return a->found < b->found ? -1 : a->found > b->found;
}

static void keep_newest(struct trace_file *file) {
  size_t kept = 0;
  if (file->last_count)
    qsort(file->last, file->last_count, sizeof *file->last, record_by_thread);
  for (size_t i = 0; i < file->last_count; i++)
    if (i + 1 == file->last_count || file->last[i].record.thread != file->last[i + 1].record.thread)
      file->last[kept++] = file->last[i];
  file->last_count = kept;
}

/* The newest window of each thread is scanned; the others need not be looked at again. */
static void windows_scan(struct trace_file *file, struct window **begun, size_t count, struct snarli_record *buffer) {
  if (count)
    qsort(begun, count, sizeof(struct window *), by_thread_and_time);
  for (size_t i = 0; i < count; i++)
    if (i + 1 == count || begun[i]->first.thread != begun[i + 1]->first.thread)
      window_scan(file, begun[i], buffer);
    else
      begun[i]->is_superseded = true;
}

void last_find(struct trace_file *file) {
  struct window **begun = malloc((file->window_count + 1) * sizeof *begun);
  struct snarli_record *buffer = malloc(ROWS_PER_READ * sizeof *buffer);
  size_t count = 0;
  if (!begun || !buffer)
    problem_out_of_memory(file->trace);
  for (size_t i = 0; begun && buffer && i < file->window_count; i++)
    if (file->windows[i].has_segment && !file->windows[i].is_superseded)
      begun[count++] = &file->windows[i];
  windows_scan(file, begun, count, buffer);
  free(begun);
  free(buffer);
  keep_newest(file);
}

void trace_last_records(struct trace *trace, void (*visit)(const struct trace_record *last, void *context),
                        void *context) {
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    for (size_t j = 0; j < file->last_count; j++) {
      struct trace_record last = file->last[j].record;
      last.process = file->position;
      visit(&last, context);
    }
  }
}
