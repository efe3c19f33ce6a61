/* SPDX-License-Identifier: MIT
 *
 * Places in the source that callers know without walking the stack: each becomes a stack of one frame whose pc is the
 * address of the place's own cache word, and a symbol blob that says what that pc means. Any context.
 */
#include "recorder_state.h"
#include "stack_cache.h"
#include "turn.h"
#include <string.h>

enum { NAMES = PAGE }; /* longer names are cut */

/* The cache word: in which image the place was stored, and under which id. */
static inline uint64_t cache_of(uint32_t images, uint32_t stack) { return (uint64_t)images << 32 | stack; }

static __attribute__((noinline)) uint32_t source_store(struct recorder_thread *thread, uint64_t *cache,
                                                       const char *function, const char *file, uint32_t line) {
  char names[NAMES];
  size_t function_size = strnlen(function, NAMES / 4), file_size = strnlen(file, NAMES - NAMES / 4);
  memcpy(names, function, function_size);
  memcpy(names + function_size, file, file_size);
  struct snarli_symbol symbol = {
      .pc = (uint64_t)(uintptr_t)cache, .line = line, .function_size = (uint32_t)function_size};
  uint64_t now = recorder.header->begin_ticks; /* it was so from the start */
  if (!blob_append(thread, SNARLI_B_SYMBOL, now, &symbol, sizeof symbol, names, function_size + file_size))
    return 0;
  uint32_t stack = stack_of_pc(thread, cache);
  /* Two threads that meet here store it twice and get one id or two for the same: harmless. */
  if (stack)
    __atomic_store_n(cache, cache_of(recorder.images, stack), __ATOMIC_RELAXED);
  return stack;
}

uint32_t snarli_stack_of_source(uint64_t *cache, const char *function, const char *file, uint32_t line) {
  uint64_t cached = __atomic_load_n(cache, __ATOMIC_RELAXED);
  /* In the child of a fork this thread has no turn until the child's image has begun. */
  bool is_begun = recorder_ready->turn != TURN_NONE;
  if (__builtin_expect(is_begun && cached >> 32 == recorder.images && (uint32_t)cached, 1))
    return (uint32_t)cached;
  struct recorder_thread *thread = thread_self();
  return thread ? source_store(thread, cache, function ? function : "", file ? file : "", line) : 0;
}
