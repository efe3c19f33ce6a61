/* SPDX-License-Identifier: MIT
 *
 * The hot path: one record into the calling thread's window. Entered by any thread and by signal handlers at any point
 * of it. No lock, no allocation, no system call but when a window is full.
 *
 * Each function has a quick way, which asks one question (is it the caller's turn?), and a slow one for everything that
 * is not as always: the first record of a thread or of a forked child, a full window, a stack that was not seen before,
 * a new upper half of the clock, a handler that interrupted another record, a recording that is suspended or stopped.
 */
#include "append.h"
#include "clock.h"
#include "python/python.h"
#include "stack_cache.h"
#include "sys.h"
#include "turn.h"

struct recorder recorder = {.fd = -1};
struct recorder_thread recorder_nobody;
RECORDER_TLS struct recorder_thread *recorder_self;
RECORDER_TLS struct recorder_thread *recorder_ready = &recorder_nobody;
RECORDER_TLS unsigned recorder_suspended;

enum { ROWS_OF_A_CALL = 8 }; /* a wait on a condition, and what announces the time */

static const uint8_t phases[256] = {
#define RECORD(id, NAME, text, family, phase, arg, object, aux) [id] = SNARLI_##phase,
#include <snarl/trace/records.def>
};

/* Whether a record says that there is an object at its address, or none any more. What gives something up comes after
 * what took it, and what failed may have found no object. A spin lock may share its 8 bytes with another. */
enum { MARK_NONE, MARK_SET, MARK_CLEAR };
#define IS_GONE(id)                                                                                                    \
  ((id) == SNARLI_R_MUTEX_DESTROYED || (id) == SNARLI_R_RWLOCK_DESTROYED || (id) == SNARLI_R_SEM_DESTROYED ||          \
   (id) == SNARLI_R_COND_DESTROYED || (id) == SNARLI_R_BARRIER_DESTROYED)
#define IS_THERE(family, phase, object)                                                                                \
  (SNARLI_OBJECT_##object == SNARLI_OBJECT_ADDRESS && SNARLI_##family != SNARLI_META &&                                \
   SNARLI_##family != SNARLI_FUTEX && (SNARLI_##phase != SNARLI_RELEASE || SNARLI_##family == SNARLI_ORDER) &&         \
   SNARLI_##phase != SNARLI_FAIL)
static const uint8_t marks[256] = {
#define RECORD(id, NAME, text, family, phase, arg, object, aux)                                                        \
  [id] = IS_GONE(id) ? MARK_CLEAR : IS_THERE(family, phase, object) ? MARK_SET : MARK_NONE,
#include <snarl/trace/records.def>
};

/* The marks make it cheap to see which memory that goes held objects. */
static inline void mark(enum snarli_record_type type, uint64_t object) {
  if (marks[type] == MARK_SET && __builtin_expect(!mark_is_set(object), 0))
    mark_set(object);
  else if (__builtin_expect(marks[type] == MARK_CLEAR, 0))
    mark_clear(object);
}

static inline uint64_t now_for(enum snarli_record_type type) {
  return phases[type] == SNARLI_ACQUIRE ? clock_now_after(recorder.clock) : clock_now(recorder.clock);
}

struct snarli_record *rows_slow(struct recorder_thread *thread, uint32_t count, uint64_t now) {
  while (now >> 32 > thread->upper) {
    struct snarli_record *row = window_rows(thread, SNARLI_W_RECORDS, 1);
    if (!row)
      return NULL;
    if (now >> 32 > thread->upper) /* else the row began a new window, which announced it */
      thread->upper = now >> 32;
    record_store(row, snarli_record_head(SNARLI_R_TIME, 0, thread->upper), 0, 0);
  }
  return window_rows(thread, SNARLI_W_RECORDS, count);
}

bool append_slow(struct recorder_thread *thread, uint64_t head, uint32_t aux, uint64_t now) {
  struct snarli_record *row = rows_slow(thread, 1, now);
  if (row)
    record_store(row, head, aux, lower_half(thread, now));
  return row;
}

static __attribute__((noinline)) void record_slow(enum snarli_record_type type, uint64_t head, uint32_t aux) {
  struct recorder_thread *thread = thread_self();
  bool is_written = false;
  if (thread && atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE) {
    uint64_t saved;
    sys_block_signals(&saved);
    turn_notice(thread);
    is_written = append_slow(thread, head, aux, now_for(type));
    sys_restore_signals(&saved);
  }
  if (!is_written)
    process_drop(1);
}

static __attribute__((noinline)) uint32_t stack_slow(struct snarli_site site) {
  struct recorder_thread *thread = thread_self();
  if (!thread)
    return 0;
  if (marks_are_below(thread, site.cfa))
    marks_pop_frames(thread, site.cfa);
  window_make_room(thread, ROWS_OF_A_CALL);
  return stack_of_site(thread, site);
}

static __attribute__((noinline)) struct snarli_call call_slow(struct snarli_site site) {
  if (!snarli_is_recording())
    return (struct snarli_call){0, false};
  return (struct snarli_call){stack_slow(site), true};
}

/* 0: not known, or no room for what the call will record. The caller has the thread's turn. */
static inline uint32_t stack_quick(const struct recorder_thread *thread, struct snarli_site site) {
  bool is_usual =
      window_has_room(&thread->records, ROWS_OF_A_CALL) && thread->cache && !marks_are_below(thread, site.cfa);
  const struct cache_entry *entry = __builtin_expect(is_usual, 1) ? cache_find(thread->cache, site) : NULL;
  return entry ? entry->stack : 0;
}

bool snarli_is_recording(void) {
  if (__builtin_expect(recorder_ready->turn == TURN_FREE, 1))
    return true;
  if (recorder_suspended)
    return false;
  enum recorder_phase phase = atomic_load_explicit(&recorder.phase, memory_order_relaxed);
  return phase == RECORDER_ACTIVE || phase == RECORDER_STOPPED || (phase == RECORDER_UNSTARTED && process_ensure());
}

struct snarli_call snarli_call(struct snarli_site site) {
  struct recorder_thread *thread = recorder_ready;
  if (turn_take(thread, site.cfa)) {
    uint32_t stack = stack_quick(thread, site);
    turn_give(thread);
    if (__builtin_expect(stack != 0, 1))
      return (struct snarli_call){stack, true};
  }
  return call_slow(site);
}

struct snarli_call snarli_call_releasing(enum snarli_record_type type, uint64_t object, struct snarli_site site) {
  struct recorder_thread *thread = recorder_ready;
  uint64_t head = snarli_record_head(type, 0, object);
  if (turn_take(thread, site.cfa)) {
    uint32_t stack = stack_quick(thread, site);
    bool is_written = stack && append_quick(thread, head, stack, clock_now(recorder.clock));
    turn_give(thread);
    if (__builtin_expect(is_written, 1))
      return (struct snarli_call){stack, true};
  }
  struct snarli_call call = call_slow(site);
  if (call.is_recorded)
    snarli_record_aux(type, 0, object, call.stack);
  return call;
}

uint32_t snarli_stack(struct snarli_site site) {
  struct recorder_thread *thread = recorder_ready;
  uint32_t stack = 0;
  if (turn_take(thread, site.cfa)) {
    stack = stack_quick(thread, site);
    turn_give(thread);
  }
  return __builtin_expect(stack != 0, 1) ? stack : stack_slow(site);
}

void snarli_record_aux(enum snarli_record_type type, unsigned arg, uint64_t object, uint32_t aux) {
  struct recorder_thread *thread = recorder_ready;
  uint64_t head = snarli_record_head(type, arg, object);
  mark(type, object);
  if (__builtin_expect(recorder.has_python, 0) && type == SNARLI_R_MUTEX_ACQUIRED)
    python_locked(thread, object);
  if (turn_take(thread, __builtin_frame_address(0))) {
    bool is_written = append_quick(thread, head, aux, now_for(type));
    turn_give(thread);
    if (__builtin_expect(is_written, 1))
      return;
  }
  record_slow(type, head, aux);
}

uint32_t snarli_blob_string(const char *text, size_t size) {
  struct recorder_thread *thread = thread_self();
  return thread ? blob_append(thread, SNARLI_B_STRING, clock_now(recorder.clock), text, size, NULL, 0) : 0;
}

uint32_t snarli_blob_channel(const struct snarli_channel *channel, const char *name, size_t size) {
  struct recorder_thread *thread = thread_self();
  uint64_t now = clock_now(recorder.clock);
  return thread ? blob_append(thread, SNARLI_B_CHANNEL, now, channel, sizeof *channel, name, size) : 0;
}

uint32_t snarli_stack_of(const void *pc) {
  struct recorder_thread *thread = thread_self();
  return thread ? stack_of_pc(thread, pc) : 0;
}

void snarli_suspend(void) {
  recorder_suspended++;
  recorder_ready = &recorder_nobody;
}

void snarli_resume(void) {
  if (--recorder_suspended == 0 && recorder_self)
    recorder_ready = recorder_self;
}
