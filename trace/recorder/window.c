/* SPDX-License-Identifier: MIT
 *
 * Moving on to a new window when one is full. Signals are blocked.
 */
#include "clock.h"
#include "recorder_state.h"
#include "sys.h"
#include "turn.h"

/* Small first, so that thousands of short threads cost little disk; large soon, so that busy ones rarely come here. */
enum { WINDOW_FIRST = PAGE, WINDOW_LARGEST = 64 * PAGE };

static uint32_t next_size(const struct recorder_window *window, uint32_t needed) {
  uint32_t size = window->size ? window->size * 2 : WINDOW_FIRST;
  if (size > WINDOW_LARGEST)
    size = WINDOW_LARGEST;
  uint32_t least = (needed + (uint32_t)sizeof(struct snarli_window) + PAGE - 1) / PAGE * PAGE;
  return size > least ? size : least;
}

void window_begin_thread(struct recorder_thread *thread) {
  struct snarli_record *rows = (struct snarli_record *)(uintptr_t)window_claim(&thread->records, 2 * SNARLI_ROW);
  thread->upper = clock_now(recorder.clock) >> 32;
  record_store(&rows[0], snarli_record_head(SNARLI_R_OWNER, 0, thread->tid), thread->index, 0);
  record_store(&rows[1], snarli_record_head(SNARLI_R_TIME, 0, thread->upper), 0, 0);
}

/* The old window stays mapped if a call that was interrupted may yet store into it: rarer than anything else here. */
static bool window_replace(struct recorder_thread *thread, struct recorder_window *window, enum snarli_window_kind kind,
                           uint32_t needed) {
  uint64_t offset;
  uint32_t size = next_size(window, needed);
  char *base = file_map(size, &offset);
  if (!base)
    return false;
  if (window->base && !window->is_pinned)
    sys_munmap(window->base, window->size);
  struct snarli_window *header = (struct snarli_window *)base;
  header->size = size;
  header->kind = (uint16_t)kind;
  __atomic_store_n(&header->magic, SNARLI_WINDOW_MAGIC, __ATOMIC_RELEASE);
  window->is_pinned = false;
  window->base = base;
  window->size = size;
  window->offset = offset;
  window->end = (uint64_t)(uintptr_t)base + size;
  window->pos = (uint64_t)(uintptr_t)base + sizeof *header;
  if (kind == SNARLI_W_RECORDS)
    window_begin_thread(thread);
  return true;
}

static struct recorder_window *window_of(struct recorder_thread *thread, enum snarli_window_kind kind) {
  switch (kind) {
  case SNARLI_W_STACKS:
    return &thread->stacks;
  case SNARLI_W_BLOBS:
    return &thread->blobs;
  default:
    return &thread->records;
  }
}

void *window_rows(struct recorder_thread *thread, enum snarli_window_kind kind, uint32_t rows) {
  struct recorder_window *window = window_of(thread, kind);
  if (!window_has_room(window, rows)) {
    if (!thread_ready(thread))
      return NULL;
    if (!window_has_room(window, rows) && !window_replace(thread, window, kind, rows * SNARLI_ROW))
      return NULL;
  }
  return (void *)(uintptr_t)window_claim(window, rows * SNARLI_ROW);
}

void window_make_room(struct recorder_thread *thread, uint32_t rows) {
  if (__builtin_expect(window_has_room(&thread->records, rows), 1) || !thread_ready(thread))
    return;
  uint64_t saved;
  sys_block_signals(&saved);
  turn_notice(thread);
  if (!window_has_room(&thread->records, rows))
    (void)window_replace(thread, &thread->records, SNARLI_W_RECORDS, rows * SNARLI_ROW);
  sys_restore_signals(&saved);
}

uint32_t window_row_id(const struct recorder_window *window, const void *row) {
  return (uint32_t)((window->offset + (uint64_t)((const char *)row - window->base)) / SNARLI_ROW);
}
