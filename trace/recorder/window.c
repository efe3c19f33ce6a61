/* SPDX-License-Identifier: MIT
 *
 * Windows: the piece of the file that one thread appends rows of one kind to. Entered by the owning thread and by
 * signal handlers that interrupt it at any instruction.
 *
 * A row is claimed by one instruction (fetch-and-add on `pos`), which a signal cannot split, so a handler's
 * row and the interrupted one never coincide. No other thread touches a window, hence no bus lock. Moving to a new
 * window happens with signals blocked; whoever overshot `end` meanwhile claims again.
 */
#include "clock.h"
#include "recorder_state.h"
#include "sys.h"

/* Small first, so that thousands of short threads cost little disk; large soon, so that busy ones rarely come here. */
enum { WINDOW_FIRST = PAGE, WINDOW_LARGEST = 64 * PAGE };

static inline uint64_t claim(uint64_t *pos, uint64_t bytes) {
#if defined(__x86_64__)
  __asm__ volatile("xaddq %0, %1" : "+r"(bytes), "+m"(*pos)::"memory");
  return bytes;
#else
  return __atomic_fetch_add(pos, bytes, __ATOMIC_RELAXED);
#endif
}

static uint32_t next_size(const struct recorder_window *window, uint32_t needed) {
  uint32_t size = window->size ? window->size * 2 : WINDOW_FIRST;
  if (size > WINDOW_LARGEST)
    size = WINDOW_LARGEST;
  uint32_t least = (needed + (uint32_t)sizeof(struct snarli_window) + PAGE - 1) / PAGE * PAGE;
  return size > least ? size : least;
}

void record_store(struct snarli_record *row, uint64_t head, uint32_t aux, uint32_t time) {
  row->aux = aux;
  row->time = time;
  /* Pairs with the reader's load: a record whose head is there is whole, even if the process dies here. */
  __atomic_store_n(&row->head, head, __ATOMIC_RELEASE);
}

void window_begin_thread(struct recorder_thread *thread) {
  struct snarli_record *rows = (struct snarli_record *)(uintptr_t)claim(&thread->records.pos, 2 * SNARLI_ROW);
  thread->upper = clock_now(recorder.clock) >> 32;
  record_store(&rows[0], snarli_record_head(SNARLI_R_OWNER, 0, thread->tid), thread->index, 0);
  record_store(&rows[1], snarli_record_head(SNARLI_R_TIME, 0, thread->upper), 0, 0);
}

/* Signals are blocked. */
static bool window_replace(struct recorder_thread *thread, struct recorder_window *window, enum snarli_window_kind kind,
                           uint32_t needed) {
  uint64_t offset;
  uint32_t size = next_size(window, needed);
  char *base = file_map(size, &offset);
  if (!base)
    return false;
  if (window->base)
    sys_munmap(window->base, window->size);
  struct snarli_window *header = (struct snarli_window *)base;
  header->size = size;
  header->kind = (uint16_t)kind;
  __atomic_store_n(&header->magic, SNARLI_WINDOW_MAGIC, __ATOMIC_RELEASE);
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

static __attribute__((noinline)) bool window_grow(struct recorder_thread *thread, struct recorder_window *window,
                                                  enum snarli_window_kind kind, uint32_t bytes) {
  if (!thread_ready(thread))
    return false;
  uint64_t saved;
  sys_block_signals(&saved);
  bool has_room = window->pos + bytes <= window->end || window_replace(thread, window, kind, bytes);
  sys_restore_signals(&saved);
  return has_room;
}

void *window_row(struct recorder_thread *thread, enum snarli_window_kind kind, uint32_t rows) {
  struct recorder_window *window = window_of(thread, kind);
  uint32_t bytes = rows * SNARLI_ROW;
  do {
    uint64_t row = claim(&window->pos, bytes);
    if (__builtin_expect(row + bytes <= window->end, 1))
      return (void *)(uintptr_t)row;
  } while (window_grow(thread, window, kind, bytes));
  return NULL;
}

void window_make_room(struct recorder_thread *thread, uint32_t rows) {
  struct recorder_window *window = &thread->records;
  if (__builtin_expect(window->pos + rows * SNARLI_ROW > window->end, 0))
    (void)window_grow(thread, window, SNARLI_W_RECORDS, rows * SNARLI_ROW);
}

uint32_t window_row_id(const struct recorder_window *window, const void *row) {
  return (uint32_t)((window->offset + (uint64_t)((const char *)row - window->base)) / SNARLI_ROW);
}
