/* SPDX-License-Identifier: MIT
 *
 * The hot path: one record into the calling thread's window. Entered by any thread and by signal handlers at any point
 * of it. No lock, no allocation, no system call but when a window is full.
 */
#include "clock.h"
#include "recorder_state.h"

struct recorder recorder = {.fd = -1};
RECORDER_TLS struct recorder_thread *recorder_self;
RECORDER_TLS unsigned recorder_suspended;

static const uint8_t phases[256] = {
#define RECORD(id, NAME, text, family, phase, arg, object, aux) [id] = SNARLI_##phase,
#include <snarl/trace/records.def>
};

static inline uint64_t now_for(enum snarli_record_type type) {
  return phases[type] == SNARLI_ACQUIRE ? clock_now_after(recorder.clock) : clock_now(recorder.clock);
}

/* A row must carry the upper half that the rows before it announced. */
static __attribute__((noinline)) bool announce_upper(struct recorder_thread *thread, uint64_t upper) {
  struct snarli_record *row = window_row(thread, SNARLI_W_RECORDS, 1);
  if (!row)
    return false;
  if (upper > thread->upper) /* else the row began a new window, which announced a later one meanwhile */
    thread->upper = upper;
  record_store(row, snarli_record_head(SNARLI_R_TIME, 0, thread->upper), 0, 0);
  return true;
}

static inline void append(struct recorder_thread *thread, uint64_t head, uint32_t aux, uint64_t now) {
  /* A window's first rows announce the upper half too, so look again after the row is ours. */
  while (__builtin_expect(now >> 32 > thread->upper, 0))
    if (!announce_upper(thread, now >> 32))
      break;
  struct snarli_record *row = window_row(thread, SNARLI_W_RECORDS, 1);
  if (__builtin_expect(!row, 0)) {
    process_drop(1);
    return;
  }
  uint32_t low = __builtin_expect(now >> 32 < thread->upper, 0) ? 0 : (uint32_t)now;
  record_store(row, head, aux, low);
}

static inline struct recorder_thread *self(void) {
  struct recorder_thread *thread = recorder_self;
  if (__builtin_expect(thread && thread->magic == RECORDER_THREAD_MAGIC, 1))
    return thread;
  if (!thread)
    return thread_attach();
  return thread_ready(thread) ? thread : NULL; /* the first record of a forked child */
}

bool snarli_is_recording(void) {
  if (recorder_suspended)
    return false;
  enum recorder_phase phase = atomic_load_explicit(&recorder.phase, memory_order_relaxed);
  return phase == RECORDER_ACTIVE || phase == RECORDER_STOPPED || (phase == RECORDER_UNSTARTED && process_ensure());
}

/* The thread that is about to append a record; NULL: it cannot, and the loss is counted. */
static inline struct recorder_thread *self_recording(void) {
  struct recorder_thread *thread = self();
  if (__builtin_expect(thread && atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE, 1))
    return thread;
  process_drop(1);
  return NULL;
}

void snarli_record(enum snarli_record_type type, unsigned arg, uint64_t object, struct snarli_site site) {
  uint64_t now = now_for(type);
  struct recorder_thread *thread = self_recording();
  if (thread)
    append(thread, snarli_record_head(type, arg, object), stack_of_site(thread, site), now);
}

void snarli_record_aux(enum snarli_record_type type, unsigned arg, uint64_t object, uint32_t aux) {
  uint64_t now = now_for(type);
  struct recorder_thread *thread = self_recording();
  if (thread)
    append(thread, snarli_record_head(type, arg, object), aux, now);
}

uint32_t snarli_blob_string(const char *text, size_t size) {
  struct recorder_thread *thread = self();
  return thread ? blob_append(thread, SNARLI_B_STRING, clock_now(recorder.clock), text, size, NULL, 0) : 0;
}

uint32_t snarli_stack(struct snarli_site site) {
  enum { ROWS_OF_A_CALL = 8 }; /* a wait on a condition, and what announces the time */
  struct recorder_thread *thread = self();
  if (!thread)
    return 0;
  window_make_room(thread, ROWS_OF_A_CALL);
  return stack_of_site(thread, site);
}

uint32_t snarli_stack_of(const void *pc) {
  struct recorder_thread *thread = self();
  return thread ? stack_node(thread, 0, (uint64_t)(uintptr_t)pc) : 0;
}

void snarli_suspend(void) { recorder_suspended++; }

void snarli_resume(void) { recorder_suspended--; }
