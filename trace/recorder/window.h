/* SPDX-License-Identifier: MIT
 *
 * Windows: the piece of the file that one thread appends rows of one kind to. No other thread touches it, hence no bus
 * lock. Entered by the owning thread and by signal handlers that interrupt it at any instruction.
 */
#ifndef SNARLI_WINDOW_H
#define SNARLI_WINDOW_H

#include <snarl/trace/format.h>
#include <stdbool.h>
#include <stdint.h>

struct recorder_thread;

/* One kind of rows that a thread appends to: its own window, mapped. */
struct recorder_window {
  uint64_t pos, end; /* addresses; a signal handler may append between any two instructions */
  char *base;
  uint64_t offset; /* of base in the file */
  uint32_t size;
  bool is_pinned; /* somebody who was interrupted may hold a row in it: it stays mapped when it is full */
};

/* One instruction, which a signal cannot split: a handler's rows and the interrupted one's never coincide. */
static inline uint64_t window_claim(struct recorder_window *window, uint64_t bytes) {
#if defined(__x86_64__)
  __asm__ volatile("xaddq %0, %1" : "+r"(bytes), "+m"(window->pos)::"memory");
  return bytes;
#else
  uint64_t row = __atomic_fetch_add(&window->pos, bytes, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return row;
#endif
}

static inline bool window_has_room(const struct recorder_window *window, uint32_t rows) {
  return window->pos + rows * SNARLI_ROW <= window->end;
}

/* The next free rows, NULL if the window is full. Handlers may move on to another window at any moment: what was
 * claimed is rows only if it lies in the window that is there afterwards. */
static inline struct snarli_record *window_rows_quick(struct recorder_window *window, uint32_t rows) {
  if (__builtin_expect(!window_has_room(window, rows), 0))
    return NULL;
  uint64_t first = window_claim(window, (uint64_t)rows * SNARLI_ROW);
  uint64_t place = first - (uint64_t)(uintptr_t)window->base;
  bool is_inside = place < window->size && place + rows * SNARLI_ROW <= window->size;
  return __builtin_expect(is_inside, 1) ? (struct snarli_record *)(uintptr_t)first : NULL;
}

static inline void record_store(struct snarli_record *row, uint64_t head, uint32_t aux, uint32_t time) {
  row->aux = aux;
  row->time = time;
  /* Pairs with the reader's load: a record whose head is there is whole, even if the process dies here. */
  __atomic_store_n(&row->head, head, __ATOMIC_RELEASE);
}

/* The next `rows` free rows of a window of the calling thread, which grows as needed; NULL: stopped. Signals are
 * blocked. */
void *window_rows(struct recorder_thread *thread, enum snarli_window_kind kind, uint32_t rows);
/* Takes a new window now if the next `rows` records do not fit the old one. */
void window_make_room(struct recorder_thread *thread, uint32_t rows);
uint32_t window_row_id(const struct recorder_window *window, const void *row);
/* The rows that say whose records follow, written where a thread takes over a window: OWNER and TIME. Signals are
 * blocked. */
void window_begin_thread(struct recorder_thread *thread);

#endif
