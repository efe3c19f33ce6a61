/* SPDX-License-Identifier: MIT
 *
 * Appending a record to the calling thread's window: inlined into each entry of the recorder that does. Entered by any
 * thread and by signal handlers at any point of it.
 */
#ifndef SNARLI_APPEND_H
#define SNARLI_APPEND_H

#include "recorder_state.h"

/* A row must carry the upper half that the rows before it announced; a handler may have announced a later one since
 * `now` was read. */
static inline uint32_t lower_half(const struct recorder_thread *thread, uint64_t now) {
  return __builtin_expect(now >> 32 < thread->upper, 0) ? 0 : (uint32_t)now;
}

/* The next `count` rows; NULL: it could not be done the quick way. The caller has the thread's turn. */
static inline struct snarli_record *rows_quick(struct recorder_thread *thread, uint32_t count, uint64_t now) {
  /* When one thread's records cannot be written any more, nobody's are: a reader can follow what comes before. */
  bool is_active = atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE;
  if (__builtin_expect(!is_active || now >> 32 > thread->upper, 0))
    return NULL;
  return window_rows_quick(&thread->records, count);
}

/* False: it could not be done the quick way. The caller has the thread's turn. */
static inline bool append_quick(struct recorder_thread *thread, uint64_t head, uint32_t aux, uint64_t now) {
  struct snarli_record *row = rows_quick(thread, 1, now);
  if (__builtin_expect(!row, 0))
    return false;
  record_store(row, head, aux, lower_half(thread, now));
  return true;
}

struct snarli_record *rows_slow(struct recorder_thread *thread, uint32_t count, uint64_t now);
/* The same for all cases; false: recording stopped. Signals are blocked. */
bool append_slow(struct recorder_thread *thread, uint64_t head, uint32_t aux, uint64_t now);

#endif
