/* SPDX-License-Identifier: MIT
 *
 * The recorder's state of each thread: made at its first record, given back after its last thread-specific destructor,
 * and handed on with what is left of its windows. Entered by the owning thread and its signal handlers.
 */
#include "clock.h"
#include "recorder_state.h"
#include "sys.h"
#include "turn.h"
#include <limits.h>
#include <pthread.h>

/* Ended threads' states. Taken whole by exchange, so there is no ABA; rarely two threads meet here, and one then makes
 * a new state. */
static _Atomic(struct recorder_thread *) free_threads;

static RECORDER_TLS uint32_t own_index;
static RECORDER_TLS bool has_index;
static pthread_key_t end_key;
static bool has_end_key;

static void free_push(struct recorder_thread *first, struct recorder_thread *last) {
  last->next = atomic_load_explicit(&free_threads, memory_order_relaxed);
  /* Release pairs with the acquire in free_pop: publishes the states' contents. */
  while (!atomic_compare_exchange_weak_explicit(&free_threads, &last->next, first, memory_order_release,
                                                memory_order_relaxed))
    ;
}

static struct recorder_thread *free_pop(void) {
  struct recorder_thread *all = atomic_exchange_explicit(&free_threads, NULL, memory_order_acquire);
  if (all && all->next) {
    struct recorder_thread *last = all->next;
    while (last->next)
      last = last->next;
    free_push(all->next, last);
  }
  return all;
}

void thread_forget_all(void) { atomic_store_explicit(&free_threads, NULL, memory_order_relaxed); }

uint32_t snarli_thread_reserve(void) {
  return process_ensure() ? __atomic_fetch_add(&recorder.header->threads, 1, __ATOMIC_RELAXED) : 0;
}

static void thread_identify(struct recorder_thread *thread) {
  if (!has_index)
    own_index = snarli_thread_reserve();
  has_index = true;
  thread->index = own_index;
  thread->tid = (uint32_t)sys_gettid();
  thread->turn = TURN_FREE;
  thread->mark_depth = 0;
}

bool thread_ready(struct recorder_thread *thread) {
  if (!process_ensure())
    return false;
  if (thread->turn == TURN_NONE)
    thread_identify(thread); /* a forked child: the state was wiped, and process_ensure began the new image */
  return true;
}

/* Rarely run, but it must not be split by a handler that attaches, too. Signals are blocked. */
static struct recorder_thread *attach_blocked(void) {
  if (recorder_self || !process_ensure())
    return recorder_self;
  struct recorder_thread *thread = free_pop();
  if (!thread)
    thread = memory_new((sizeof *thread + PAGE - 1) / PAGE * PAGE, true);
  if (!thread)
    return NULL;
  thread_identify(thread);
  if (thread->records.base && thread->records.pos + 3 * SNARLI_ROW <= thread->records.end)
    window_begin_thread(thread); /* inherited room */
  else
    thread->records.pos = thread->records.end;
  recorder_self = thread;
  recorder_ready = recorder_suspended ? &recorder_nobody : thread;
  return thread;
}

struct recorder_thread *thread_attach(void) {
  uint64_t saved;
  sys_block_signals(&saved);
  struct recorder_thread *thread = attach_blocked();
  sys_restore_signals(&saved);
  if (thread && has_end_key)
    (void)pthread_setspecific(end_key, (void *)1);
  return thread;
}

struct recorder_thread *thread_self(void) {
  struct recorder_thread *thread = recorder_self;
  if (!thread)
    return thread_attach();
  return thread->turn != TURN_NONE || thread_ready(thread) ? thread : NULL;
}

void snarli_thread_begin(uint32_t index, uint64_t handle, const void *start_routine) {
  own_index = index;
  has_index = true;
  struct recorder_thread *thread = thread_attach();
  if (thread)
    snarli_record_aux(SNARLI_R_THREAD_BEGIN, 0, handle, snarli_stack_of(start_routine));
}

/* A destructor of ours runs among the program's, in no certain order; asking for one more round each time makes it run
 * in the last (POSIX pthread_key_create, PTHREAD_DESTRUCTOR_ITERATIONS), after theirs have taken and released their
 * locks. */
#ifdef __SANITIZE_THREAD__
enum { LAST_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS - 1 }; /* ThreadSanitizer takes its own state away in the last */
#else
enum { LAST_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS };
#endif
static void thread_end(void *round) {
  if ((uintptr_t)round < LAST_ROUND) {
    (void)pthread_setspecific(end_key, (void *)((uintptr_t)round + 1));
    return;
  }
  struct recorder_thread *thread = recorder_self;
  if (!thread || !thread_ready(thread))
    return;
  fibers_leave(thread);
  marks_thread_end();
  snarli_record_aux(SNARLI_R_THREAD_END, 0, (uint64_t)pthread_self(), 0);
  uint64_t saved;
  sys_block_signals(&saved);
  recorder_ready = &recorder_nobody;
  recorder_self = NULL;
  free_push(thread, thread);
  sys_restore_signals(&saved);
}

uint32_t thread_native_index(void) { return own_index; }

void thread_keys_create(void) { has_end_key = pthread_key_create(&end_key, thread_end) == 0; }

bool snarli_thread_key_give_up(void) {
  bool had = __atomic_exchange_n(&has_end_key, false, __ATOMIC_RELAXED);
  if (had)
    (void)pthread_key_delete(end_key);
  return had;
}

/* Who begins an image is its first thread: the survivor of a fork, whatever it was before. */
void thread_become_first(void) {
  own_index = 0;
  has_index = true;
}
