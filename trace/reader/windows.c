/* SPDX-License-Identifier: MIT
 *
 * The index of a file's windows. They are found by hopping from one header to the next. Where no header is (a window
 * was reserved and its process killed before it wrote one, or damage) the index goes on at the next page that begins
 * with one, and what was passed over is told unless it is all zero, which nobody ever wrote to. Thread of the trace
 * only.
 */
#include "reader_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool window_is_header(const struct snarli_window *header) {
  return header->magic == SNARLI_WINDOW_MAGIC && header->kind >= SNARLI_W_RECORDS && header->kind <= SNARLI_W_BLOBS &&
         header->size >= sizeof *header && header->size % SNARLI_ROW == 0 && header->reserved == 0;
}

struct window *window_at(const struct trace_file *file, uint64_t offset) {
  size_t low = 0, high = file->window_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (file->windows[middle].offset <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low && offset < file->windows[low - 1].end ? &file->windows[low - 1] : NULL;
}

static bool header_at(struct trace_file *file, uint64_t offset, struct snarli_window *header) {
  return offset + sizeof *header <= file->limit && file_read(file, offset, header, sizeof *header) == sizeof *header &&
         window_is_header(header);
}

/* A page of zeros: look whether a large hole begins here. */
static uint64_t after_zeros(struct trace_file *file, uint64_t offset, uint64_t gap) {
  if (offset - gap < HOLE_WORTH_SKIPPING)
    return offset;
  uint64_t data = file_next_data(file, offset) / PAGE_SIZE * PAGE_SIZE;
  return data > offset ? data : offset; /* may be beyond what the caller looks at */
}

/* A window's header is written before its magic, and nothing else before that. */
static bool is_unwritten(char *page, size_t size) {
  struct snarli_window header;
  memcpy(&header, page, sizeof header);
  bool is_begun = header.magic == 0 && header.kind <= SNARLI_W_BLOBS && header.reserved == 0;
  return is_zero(page + sizeof header, size - sizeof header) && (is_begun || is_zero(&header, sizeof header));
}

/* The next page in [from, to) that begins with a window, else `to`; *is_lost if the bytes between say something. */
static uint64_t resynchronise(struct trace_file *file, uint64_t from, uint64_t to, bool *is_lost) {
  char page[PAGE_SIZE];
  uint64_t offset = from;
  *is_lost = false;
  while (offset < to) {
    size_t wanted = PAGE_SIZE - offset % PAGE_SIZE;
    if (wanted > to - offset)
      wanted = (size_t)(to - offset);
    size_t got = file_read(file, offset, page, wanted);
    struct snarli_window header = {0};
    memcpy(&header, page, got < sizeof header ? 0 : sizeof header);
    if (offset % PAGE_SIZE == 0 && window_is_header(&header))
      return offset;
    if (got < wanted || got < sizeof header) {
      *is_lost = true;
      return to;
    }
    bool is_unused = is_unwritten(page, got);
    *is_lost |= !is_unused;
    offset += wanted;
    if (is_unused)
      offset = after_zeros(file, offset, from);
  }
  return to;
}

static void gap_tell(struct trace_file *file, uint64_t from, uint64_t to) {
  problem_add(file->trace, file, PROBLEM_GAP, TRACE_CORRUPT, 1,
              "%s: no window at offset %llu: %llu bytes skipped, reading goes on at %llu", file->path,
              (unsigned long long)from, (unsigned long long)(to - from), (unsigned long long)to);
}

static void gap_add(struct trace_file *file, uint64_t from, uint64_t to) {
  if (!file_is_running(file))
    return;
  if (array_grow(&file->gaps, &file->gap_room, file->gap_count, sizeof *file->gaps))
    file->gaps[file->gap_count++] = (struct gap){from, to};
  else
    problem_out_of_memory(file->trace);
}

static struct window *window_add(struct trace_file *file, uint64_t offset, const struct snarli_window *header) {
  if (!array_grow(&file->windows, &file->window_room, file->window_count, sizeof *file->windows)) {
    problem_out_of_memory(file->trace);
    return NULL;
  }
  struct window *window = &file->windows[file->window_count++];
  memset(window, 0, sizeof *window);
  window->offset = offset;
  window->end = offset + header->size;
  window->kind = (enum snarli_window_kind)header->kind;
  if (window->end > file->limit) {
    problem_add(file->trace, file, PROBLEM_WINDOW_CUT, TRACE_TRUNCATED, 1,
                "%s: the window at offset %llu has %llu of its %u bytes: the rest is missing", file->path,
                (unsigned long long)offset, (unsigned long long)(file->limit - offset), header->size);
    window->end = file->limit;
  }
  window->tail = window->end;
  return window;
}

/* Indexes [from, to) as far as windows can be seen there; returns where it stopped. */
static uint64_t range_index(struct trace_file *file, uint64_t from, uint64_t to) {
  struct snarli_window header;
  while (from < to) {
    uint64_t offset = from;
    bool is_lost = false;
    if (!header_at(file, offset, &header))
      offset = resynchronise(file, from, to, &is_lost);
    if (offset >= to || !header_at(file, offset, &header))
      return from; /* perhaps a header will come: windows_finish judges */
    if (is_lost)
      gap_tell(file, from, offset);
    else if (offset > from)
      gap_add(file, from, offset);
    struct window *window = window_add(file, offset, &header);
    if (!window)
      return to;
    from = window->end;
  }
  return from;
}

void windows_index(struct trace_file *file) { file->indexed = range_index(file, file->indexed, file->limit); }

static int window_compare(const void *left, const void *right) {
  const struct window *a = left, *b = right;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

void windows_index_again(struct trace_file *file) {
  size_t known = file->window_count, gaps = file->gap_count;
  for (size_t i = 0; i < gaps; i++)
    (void)range_index(file, file->gaps[i].from, file->gaps[i].to);
  windows_index(file);
  for (size_t i = known; i < file->window_count; i++)
    file->windows[i].tail = file->windows[i].offset;
  if (file->window_count > known)
    qsort(file->windows, file->window_count, sizeof *file->windows, window_compare);
}

/* A file that is shorter than its header says was cut, unless the recorder could not make it longer or was just
 * about to: it grows by whole pages. */
static void length_check(struct trace_file *file) {
  uint64_t next = file->header.next;
  if (next < SNARLI_HEADER_SIZE || next % SNARLI_ROW != 0) {
    problem_add(file->trace, file, PROBLEM_HEADER, TRACE_CORRUPT, 1,
                "%s: the header says that %llu bytes are in use, which cannot be: all %llu bytes were searched",
                file->path, (unsigned long long)next, (unsigned long long)file->size);
    return;
  }
  if (file->size >= next || file->header.stop == SNARLI_STOP_NO_SPACE)
    return;
  problem_add(file->trace, file, PROBLEM_SHORT, TRACE_TRUNCATED, 1,
              "%s: the file ends at %llu, but %llu bytes were in use: %llu bytes are missing", file->path,
              (unsigned long long)file->size, (unsigned long long)next, (unsigned long long)(next - file->size));
}

void windows_finish(struct trace_file *file) {
  bool is_lost = false;
  if (file->indexed < file->limit)
    (void)resynchronise(file, file->indexed, file->limit, &is_lost);
  if (is_lost)
    gap_tell(file, file->indexed, file->limit);
  length_check(file);
  if (file->header.stop > SNARLI_STOP_NO_MEMORY)
    problem_add(file->trace, file, PROBLEM_HEADER, TRACE_CORRUPT, 1,
                "%s: the header gives %u as the reason why recording stopped, which is none", file->path,
                file->header.stop);
}
