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
  if (!array_grow(&file->last, &file->last_room, file->last_count, sizeof *record))
    problem_out_of_memory(file->trace);
  else
    file->last[file->last_count++] = *record;
}

static void window_scan(struct trace_file *file, struct window *window, struct snarli_record *buffer) {
  struct rows rows = {.file = file,
                      .offset = window->offset + sizeof(struct snarli_window),
                      .end = window->end,
                      .buffer = buffer,
                      .room = ROWS_PER_READ};
  struct trace_record last = {0};
  struct snarli_record row;
  uint64_t offset, upper = file->header.begin_ticks >> 32;
  bool is_owned = false;
  window->tail = rows.offset;
  while (rows_next(&rows, &row, &offset)) {
    unsigned type = row.head & 0xff, rank = record_ranks[type];
    if (row.head)
      window->tail = offset + SNARLI_ROW;
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
}

static int record_by_thread(const void *left, const void *right) {
  const struct trace_record *a = left, *b = right;
  if (a->thread != b->thread)
    return a->thread < b->thread ? -1 : 1;
  return a->time < b->time ? -1 : a->time > b->time;
}

static void keep_newest(struct trace_file *file) {
  size_t kept = 0;
  if (file->last_count)
    qsort(file->last, file->last_count, sizeof *file->last, record_by_thread);
  for (size_t i = 0; i < file->last_count; i++)
    if (i + 1 == file->last_count || file->last[i].thread != file->last[i + 1].thread)
      file->last[kept++] = file->last[i];
  file->last_count = kept;
}

void last_find(struct trace_file *file) {
  struct window **begun = malloc((file->window_count + 1) * sizeof *begun);
  struct snarli_record *buffer = malloc(ROWS_PER_READ * sizeof *buffer);
  size_t count = 0;
  if (!begun || !buffer)
    problem_out_of_memory(file->trace);
  for (size_t i = 0; begun && buffer && i < file->window_count; i++)
    if (file->windows[i].has_segment)
      begun[count++] = &file->windows[i];
  if (count)
    qsort(begun, count, sizeof(struct window *), by_thread_and_time);
  for (size_t i = 0; i < count; i++)
    if (i + 1 == count || begun[i]->first.thread != begun[i + 1]->first.thread)
      window_scan(file, begun[i], buffer);
  free(begun);
  free(buffer);
  keep_newest(file);
}

void trace_last_records(struct trace *trace, void (*visit)(const struct trace_record *last, void *context),
                        void *context) {
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    for (size_t j = 0; j < file->last_count; j++) {
      struct trace_record last = file->last[j];
      last.process = file->position;
      visit(&last, context);
    }
  }
}
