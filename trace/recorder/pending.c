/* SPDX-License-Identifier: MIT
 *
 * Requests that become their own outcome (see recorder.h). A row belongs to its thread, and only a signal handler can
 * append between two instructions, so what is the newest row can be changed in place: readers see the request or the
 * outcome. Entered by any thread and by its signal handlers; like record.c, by a quick way and a slow one.
 */
#include "append.h"
#include "clock.h"
#include "sys.h"
#include "turn.h"

/* Longer than this in the call, and the request stays: about a millisecond. */
#define SHORT_TICKS (1ull << 21)

void snarli_pending_time(struct snarli_pending *pending, uint32_t aux) {
  *pending = (struct snarli_pending){.time = clock_now(recorder.clock), .aux = aux};
}

static inline void fill(const struct recorder_thread *thread, struct snarli_pending *pending, const uint64_t *heads) {
  struct snarli_record *rows = pending->rows;
  uint32_t last = pending->count - 1, low = lower_half(thread, pending->time);
  for (uint32_t i = 0; i < last; i++)
    record_store(&rows[i], heads[i], 0, low);
  record_store(&rows[last], heads[last], pending->aux, low);
  pending->head = heads[last];
}

static __attribute__((noinline)) void begin_slow(struct snarli_pending *pending, const uint64_t *heads) {
  struct recorder_thread *thread = thread_self();
  if (thread && atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE) {
    uint64_t saved;
    sys_block_signals(&saved);
    turn_notice(thread);
    pending->rows = rows_slow(thread, pending->count, pending->time);
    if (pending->rows)
      fill(thread, pending, heads);
    sys_restore_signals(&saved);
  }
  if (!pending->rows)
    process_drop(pending->count);
}

void snarli_pending_begin(struct snarli_pending *pending, const uint64_t *heads, uint32_t count, uint32_t aux) {
  struct recorder_thread *thread = recorder_ready;
  *pending = (struct snarli_pending){.time = clock_now(recorder.clock), .count = count, .aux = aux};
  if (turn_take(thread, __builtin_frame_address(0))) {
    pending->rows = rows_quick(thread, count, pending->time);
    if (__builtin_expect(pending->rows != NULL, 1))
      fill(thread, pending, heads);
    turn_give(thread);
  }
  if (__builtin_expect(!pending->rows, 0))
    begin_slow(pending, heads);
}

/* What becomes of a request. */
enum outcome { SENT, ENDED, DROPPED };
struct end {
  enum outcome outcome;
  uint64_t whole, later, now; /* heads: in place, and appended */
};

/* The rows are the thread's newest, in the window that it has. The head tells them from others at the same address. */
static inline bool is_newest(const struct recorder_thread *thread, const struct snarli_pending *pending) {
  const struct recorder_window *window = &thread->records;
  uint64_t begin = (uint64_t)(uintptr_t)pending->rows, end = begin + pending->count * SNARLI_ROW;
  return begin && begin >= (uint64_t)(uintptr_t)window->base && window->pos == end && end <= window->end &&
         pending->rows[pending->count - 1].head == pending->head;
}

static inline bool is_short(const struct snarli_pending *pending, uint64_t now) {
  return now - pending->time < SHORT_TICKS && now >> 32 == pending->time >> 32;
}

/* Gives the rows back. A handler that appends meanwhile makes the exchange fail: then they stay as holes. */
static void take_back(struct recorder_thread *thread, const struct snarli_pending *pending) {
  uint64_t begin = (uint64_t)(uintptr_t)pending->rows, end = begin + pending->count * SNARLI_ROW;
  for (uint32_t i = pending->count; i--;)
    __atomic_store_n(&pending->rows[i].head, 0, __ATOMIC_RELEASE);
#if defined(__x86_64__)
  /* One instruction, which a signal cannot split; no other thread comes here, hence no bus lock. */
  __asm__ volatile("cmpxchgq %2, %1" : "+a"(end), "+m"(thread->records.pos) : "r"(begin) : "memory", "cc");
#else
  __atomic_compare_exchange_n(&thread->records.pos, &end, begin, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
#endif
}

static inline bool change(struct recorder_thread *thread, const struct snarli_pending *pending, const struct end *end) {
  bool can_become = pending->count == 1 || end->outcome == DROPPED;
  if (!can_become || !is_short(pending, end->now) || !is_newest(thread, pending))
    return false;
  if (end->outcome == DROPPED)
    take_back(thread, pending);
  else if (end->outcome == SENT)
    __atomic_store_n(&pending->rows->head, end->whole, __ATOMIC_RELEASE);
  else
    record_store(pending->rows, end->whole, pending->aux, (uint32_t)end->now);
  return true;
}

static __attribute__((noinline)) void end_slow(const struct snarli_pending *pending, const struct end *end) {
  struct recorder_thread *thread = thread_self();
  bool is_written = false;
  if (thread && atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE) {
    uint64_t saved;
    sys_block_signals(&saved);
    turn_notice(thread);
    is_written = change(thread, pending, end) || append_slow(thread, end->later, pending->aux, end->now);
    sys_restore_signals(&saved);
  }
  if (!is_written)
    process_drop(1);
}

static inline void finish(const struct snarli_pending *pending, const struct end *end) {
  struct recorder_thread *thread = recorder_ready;
  if (turn_take(thread, __builtin_frame_address(0))) {
    bool is_written = change(thread, pending, end) || append_quick(thread, end->later, pending->aux, end->now);
    turn_give(thread);
    if (__builtin_expect(is_written, 1))
      return;
  }
  end_slow(pending, end);
}

void snarli_pending_sent(struct snarli_pending *pending, uint64_t whole, uint64_t later) {
  struct end end = {SENT, whole, later, clock_now_after(recorder.clock)};
  if (!pending->rows) /* nothing was requested: what was sent is appended as if before the call */
    end = (struct end){SENT, whole, whole, pending->time};
  finish(pending, &end);
}

void snarli_pending_end(struct snarli_pending *pending, uint64_t head) {
  finish(pending, &(struct end){ENDED, head, head, clock_now_after(recorder.clock)});
}

void snarli_pending_drop(struct snarli_pending *pending, uint64_t head) {
  if (pending->rows)
    finish(pending, &(struct end){DROPPED, 0, head, clock_now_after(recorder.clock)});
}
