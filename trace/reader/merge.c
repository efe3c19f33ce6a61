/* SPDX-License-Identifier: MIT
 *
 * All threads' records in one order: by time, at equal times by phase, process, thread. A cursor stands on the next
 * record of each thread; the one with the least key is kept outside of a heap of the others, so that a thread which
 * goes on being the first costs one comparison for each record.
 *
 * A cursor that has not read its next segment yet waits with that segment's first record as key, so that a thread
 * holds a buffer only while it runs. What an ended thread left over of its window is found when its cursor gets there,
 * which is always in time: the next owner's records are newer than the last of the one before. Thread of the trace
 * only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

struct cursor {
  uint64_t time, tie; /* of the record it stands on */
  const struct snarli_record *row;
  struct rows rows;
  uint64_t upper; /* of the clock, in place */
  uint64_t tail;  /* see struct segment; UINT64_MAX when nothing can be too new */
  uint64_t holes; /* empty rows since the last record */
  struct trace_file *file;
  uint32_t thread, tid;
  bool is_loaded; /* it reads segments[at]; else it waits for it */
  struct segment *segments;
  size_t at, count, room;
};

struct entry {
  uint64_t time, tie;
  struct cursor *cursor;
};

struct merge {
  struct trace *trace;
  uint64_t floor;         /* time of the last record handed out */
  struct cursor *current; /* in no heap */
  struct cursor *moving;  /* between two records: its key is not settled */
  struct entry *heap;
  size_t heap_count, heap_room;
  struct cursor **table; /* by process and thread, open addressing; the number of slots is a power of two */
  size_t slots, cursor_count;
};

static uint64_t tie_of(const struct cursor *cursor, unsigned type) {
  return (uint64_t)record_ranks[type] << 61 | (uint64_t)(cursor->file->position & 0x1fffffff) << 32 | cursor->thread;
}

static inline bool is_before(uint64_t time, uint64_t tie, const struct entry *other) {
  return time < other->time || (time == other->time && tie < other->tie);
}

/* The heap. */

static void sift_up(struct merge *merge, size_t at, struct entry entry) {
  for (; at > 0; at = (at - 1) / 2) {
    struct entry *parent = &merge->heap[(at - 1) / 2];
    if (!is_before(entry.time, entry.tie, parent))
      break;
    merge->heap[at] = *parent;
  }
  merge->heap[at] = entry;
}

static void sift_down(struct merge *merge, size_t at, struct entry entry) {
  for (size_t child; (child = 2 * at + 1) < merge->heap_count; at = child) {
    if (child + 1 < merge->heap_count &&
        is_before(merge->heap[child + 1].time, merge->heap[child + 1].tie, &merge->heap[child]))
      child++;
    if (is_before(entry.time, entry.tie, &merge->heap[child]))
      break;
    merge->heap[at] = merge->heap[child];
  }
  merge->heap[at] = entry;
}

static void heap_push(struct merge *merge, struct cursor *cursor) {
  if (!array_grow(&merge->heap, &merge->heap_room, merge->heap_count, sizeof *merge->heap)) {
    problem_out_of_memory(merge->trace);
    return;
  }
  sift_up(merge, merge->heap_count++, (struct entry){cursor->time, cursor->tie, cursor});
}

static struct cursor *heap_pop(struct merge *merge) {
  if (merge->heap_count == 0)
    return NULL;
  struct cursor *least = merge->heap[0].cursor;
  struct entry moved = merge->heap[--merge->heap_count];
  if (merge->heap_count)
    sift_down(merge, 0, moved);
  return least;
}

/* The key of a cursor in the heap has changed. */
static void heap_update(struct merge *merge, struct cursor *cursor) {
  struct entry entry = {cursor->time, cursor->tie, cursor};
  size_t at = 0;
  while (at < merge->heap_count && merge->heap[at].cursor != cursor)
    at++;
  if (at == merge->heap_count)
    return;
  if (at > 0 && is_before(entry.time, entry.tie, &merge->heap[(at - 1) / 2]))
    sift_up(merge, at, entry);
  else
    sift_down(merge, at, entry);
}

/* Cursors by process and thread. */

static size_t slot_of(const struct merge *merge, const struct trace_file *file, uint32_t thread) {
  uint64_t hash = ((uint64_t)file->position << 32 | thread) * 0x9e3779b97f4a7c15ull;
  size_t slot = (size_t)(hash >> 20) & (merge->slots - 1);
  while (merge->table[slot] && (merge->table[slot]->file != file || merge->table[slot]->thread != thread))
    slot = (slot + 1) & (merge->slots - 1);
  return slot;
}

static bool table_grow(struct merge *merge) {
  if (merge->slots && merge->cursor_count * 2 < merge->slots)
    return true;
  struct cursor **old = merge->table;
  size_t old_slots = merge->slots;
  size_t slots = old_slots ? old_slots * 2 : 64;
  struct cursor **table = calloc(slots, sizeof *table);
  if (!table)
    return false;
  merge->table = table;
  merge->slots = slots;
  for (size_t i = 0; i < old_slots; i++)
    if (old[i])
      table[slot_of(merge, old[i]->file, old[i]->thread)] = old[i];
  free(old);
  return true;
}

static struct cursor *cursor_of(struct merge *merge, struct trace_file *file, uint32_t thread) {
  if (!table_grow(merge))
    return NULL;
  size_t slot = slot_of(merge, file, thread);
  if (merge->table[slot])
    return merge->table[slot];
  struct cursor *cursor = calloc(1, sizeof *cursor);
  if (!cursor)
    return NULL;
  cursor->file = file;
  cursor->thread = thread;
  merge->table[slot] = cursor;
  merge->cursor_count++;
  return cursor;
}

/* Segments. */

static int segment_compare(const void *left, const void *right) {
  const struct segment *a = left, *b = right;
  if (a->time != b->time)
    return a->time < b->time ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static bool segment_append(struct cursor *cursor, const struct segment *segment) {
  if (!array_grow(&cursor->segments, &cursor->room, cursor->count, sizeof *segment))
    return false;
  cursor->segments[cursor->count++] = *segment;
  return true;
}

/* Stand before segments[at]. */
static bool cursor_wait(struct merge *merge, struct cursor *cursor) {
  cursor->is_loaded = false;
  if (cursor->at >= cursor->count) {
    free(cursor->rows.buffer);
    cursor->rows.buffer = NULL;
    return false;
  }
  const struct segment *segment = &cursor->segments[cursor->at];
  if (segment->time > cursor->time)
    cursor->time = segment->time;
  if (merge->floor > cursor->time)
    cursor->time = merge->floor;
  cursor->tie = tie_of(cursor, segment->type);
  return true;
}

/* The first record of a thread may be stamped just before it takes over what an ended thread left, hence the slack. */
static void check_handover(struct merge *merge, struct trace_file *file, const struct segment *segment) {
  if ((segment->time >> 32) + 1 < merge->floor >> 32)
    problem_add(merge->trace, file, PROBLEM_BAD_TIME, TRACE_CORRUPT, 1,
                "%s: the clock runs back or wild at offset %llu: times near it are wrong", file->path,
                (unsigned long long)segment->offset);
}

/* A segment found while reading takes its place among those of its thread that have not begun. */
static void segment_insert(struct merge *merge, struct trace_file *file, const struct segment *segment) {
  struct cursor *cursor = cursor_of(merge, file, segment->thread);
  check_handover(merge, file, segment);
  if (!cursor || !segment_append(cursor, segment)) {
    problem_out_of_memory(merge->trace);
    return;
  }
  size_t first = cursor->at + (cursor->is_loaded || cursor == merge->moving);
  size_t at = cursor->count - 1;
  bool was_over = at == cursor->at && !cursor->is_loaded && cursor != merge->moving;
  for (; at > first && segment_compare(segment, &cursor->segments[at - 1]) < 0; at--)
    cursor->segments[at] = cursor->segments[at - 1];
  cursor->segments[at] = *segment;
  if (cursor->is_loaded || cursor == merge->moving || at != cursor->at)
    return;
  cursor->time = 0; /* no longer the later segment's; what it handed out before is not above the floor */
  (void)cursor_wait(merge, cursor);
  if (was_over)
    heap_push(merge, cursor);
  else
    heap_update(merge, cursor);
}

/* Rows. */

static void tell_holes(struct cursor *cursor, uint64_t offset) {
  /* A claimed row that its writer has not filled yet is no damage; a few handlers may have interrupted it there. */
  bool is_damage = !file_is_running(cursor->file) || cursor->holes > 8;
  if (is_damage)
    problem_add(cursor->file->trace, cursor->file, PROBLEM_TORN, TRACE_CORRUPT, cursor->holes,
                "%s: a record before offset %llu was never completed", cursor->file->path, (unsigned long long)offset);
  cursor->holes = 0;
}

static void take_time(struct cursor *cursor, uint64_t upper, uint64_t offset) {
  if (upper > UINT32_MAX || upper << 32 < cursor->upper)
    problem_add(cursor->file->trace, cursor->file, PROBLEM_BAD_TIME, TRACE_CORRUPT, 1,
                "%s: the clock runs back or wild at offset %llu: times near it are wrong", cursor->file->path,
                (unsigned long long)offset);
  cursor->upper = (upper & UINT32_MAX) << 32;
}

static bool cursor_refill(struct cursor *cursor) {
  struct rows *rows = &cursor->rows;
  if (rows->room < ROWS_PER_READ && rows->base) {
    struct snarli_record *grown = realloc(rows->buffer, ROWS_PER_READ * sizeof *grown);
    if (grown) {
      rows->buffer = grown;
      rows->room = ROWS_PER_READ;
    }
  }
  rows->zeros = 0;
  bool is_filled = rows_fill(rows);
  cursor->holes += rows->zeros;
  return is_filled;
}

/* A row that is no ordinary record. False: the segment ends here. */
static bool take_other(struct merge *merge, struct cursor *cursor, const struct snarli_record *row, uint64_t offset) {
  unsigned type = row->head & 0xff;
  if (row->head == 0) {
    cursor->holes++;
  } else if (type == SNARLI_R_TIME) {
    take_time(cursor, row->head >> 16, offset);
  } else if (type == SNARLI_R_OWNER) {
    struct segment left_over;
    if (segment_find(cursor->file, offset, cursor->rows.end, &left_over, true)) {
      left_over.tail = cursor->segments[cursor->at].tail;
      segment_insert(merge, cursor->file, &left_over);
    }
    return false;
  } else {
    problem_add(cursor->file->trace, cursor->file, PROBLEM_UNKNOWN_RECORD, TRACE_CORRUPT, 1,
                "%s: the record at offset %llu is of the unknown type %#x: skipped", cursor->file->path,
                (unsigned long long)offset, type);
  }
  return true;
}

/* Moves to the next record of the segment. */
static bool cursor_step(struct merge *merge, struct cursor *cursor) {
  struct rows *rows = &cursor->rows;
  struct narrow *narrow = merge->trace->narrow;
  for (;;) {
    if (__builtin_expect(rows->at == rows->count, 0) && !cursor_refill(cursor))
      return false;
    const struct snarli_record *row = &rows->buffer[rows->at++];
    unsigned rank = record_ranks[row->head & 0xff];
    uint64_t offset = rows->base + (rows->at - 1) * SNARLI_ROW;
    if (__builtin_expect(rank - RANK_FIRST >= RANK_STREAM - RANK_FIRST, 0)) {
      if (!take_other(merge, cursor, row, offset))
        return false;
      continue;
    }
    uint64_t time = cursor->upper | row->time;
    if (__builtin_expect(offset >= cursor->tail, 0) && time > merge->trace->cut)
      return false;
    if (__builtin_expect(cursor->holes != 0, 0))
      tell_holes(cursor, offset);
    if (time > cursor->time)
      cursor->time = time;
    if (__builtin_expect(narrow != NULL, 0) && narrow->types[row->head & 0xff] &&
        !narrow_keeps(narrow, cursor->file, row->head >> 16)) {
      narrow->passed_over++;
      continue;
    }
    cursor->tie = tie_of(cursor, row->head & 0xff);
    cursor->row = row;
    return true;
  }
}

static bool cursor_load(struct merge *merge, struct cursor *cursor) {
  const struct segment *segment = &cursor->segments[cursor->at];
  struct trace_file *file = cursor->file;
  if (!cursor->rows.buffer) {
    cursor->rows.buffer = malloc(ROWS_FIRST * sizeof *cursor->rows.buffer);
    cursor->rows.room = ROWS_FIRST;
  }
  if (!cursor->rows.buffer) {
    problem_out_of_memory(file->trace);
    return false;
  }
  cursor->rows.file = file;
  cursor->rows.offset = segment->offset + SNARLI_ROW;
  cursor->rows.end = segment->end;
  cursor->tail = file_is_running(file) ? segment->tail : UINT64_MAX;
  cursor->tid = segment->tid;
  cursor->holes = 0;
  cursor->is_loaded = true;
  if (!rows_fill(&cursor->rows))
    return false;
  if ((cursor->rows.buffer[0].head & 0xff) != SNARLI_R_TIME) {
    problem_add(file->trace, file, PROBLEM_NO_TIME, TRACE_CORRUPT, 1,
                "%s: no time follows the owner at offset %llu: the times there are a guess", file->path,
                (unsigned long long)segment->offset);
    cursor->upper = file->header.begin_ticks >> 32 << 32;
  }
  return cursor_step(merge, cursor);
}

/* To the next record of the thread: true if there is one, or may be. */
static bool cursor_next(struct merge *merge, struct cursor *cursor) {
  merge->moving = cursor;
  bool has_record = cursor->is_loaded ? cursor_step(merge, cursor) : cursor_load(merge, cursor);
  if (!has_record) {
    cursor->at++;
    has_record = cursor_wait(merge, cursor);
  }
  merge->moving = NULL;
  return has_record;
}

static void emit(const struct cursor *cursor, struct trace_record *record) {
  uint64_t head = cursor->row->head;
  record->time = cursor->time;
  record->object = head >> 16;
  record->process = cursor->file->position;
  record->thread = cursor->thread;
  record->tid = cursor->tid;
  record->aux = cursor->row->aux;
  record->type = (uint8_t)head;
  record->arg = (uint8_t)(head >> 8);
}

/* Makes the cursor with the least key the current one. */
static bool settle(struct merge *merge) {
  for (;;) {
    struct cursor *current = merge->current;
    if (!current && !(current = merge->current = heap_pop(merge)))
      return false;
    if (merge->heap_count && !is_before(current->time, current->tie, &merge->heap[0])) {
      merge->current = merge->heap[0].cursor;
      sift_down(merge, 0, (struct entry){current->time, current->tie, current});
    } else if (current->is_loaded) {
      return true;
    } else if (!cursor_next(merge, current)) {
      merge->current = NULL;
    }
  }
}

bool merge_next(struct merge *merge, struct trace_record *record) {
  struct cursor *current = merge->current;
  bool is_settled = current && current->is_loaded &&
                    (merge->heap_count == 0 || is_before(current->time, current->tie, &merge->heap[0]));
  if (!is_settled && !settle(merge))
    return false;
  current = merge->current;
  emit(current, record);
  merge->floor = record->time;
  if (!cursor_next(merge, current))
    merge->current = NULL;
  return true;
}

static bool add_files(struct merge *merge) {
  for (size_t i = 0; i < merge->trace->file_count; i++) {
    struct trace_file *file = merge->trace->files[i];
    for (size_t j = 0; j < file->window_count; j++) {
      const struct window *window = &file->windows[j];
      if (!window->has_segment)
        continue;
      struct segment segment = window->first;
      segment.tail = window->tail;
      struct cursor *cursor = cursor_of(merge, file, segment.thread);
      if (!cursor || !segment_append(cursor, &segment))
        return false;
    }
  }
  return true;
}

struct merge *merge_new(struct trace *trace) {
  struct merge *merge = calloc(1, sizeof *merge);
  if (!merge)
    return NULL;
  merge->trace = trace;
  if (!add_files(merge))
    problem_out_of_memory(trace);
  for (size_t i = 0; i < merge->slots; i++) {
    struct cursor *cursor = merge->table[i];
    if (!cursor || !cursor->count)
      continue;
    qsort(cursor->segments, cursor->count, sizeof *cursor->segments, segment_compare);
    (void)cursor_wait(merge, cursor);
    heap_push(merge, cursor);
  }
  return merge;
}

uint64_t merge_first_time(const struct merge *merge) { return merge->heap_count ? merge->heap[0].time : 0; }

void merge_free(struct merge *merge) {
  if (!merge)
    return;
  for (size_t i = 0; i < merge->slots; i++) {
    if (!merge->table[i])
      continue;
    free(merge->table[i]->segments);
    free(merge->table[i]->rows.buffer);
    free(merge->table[i]);
  }
  free(merge->table);
  free(merge->heap);
  free(merge);
}
