/* SPDX-License-Identifier: MIT
 *
 * ThreadSanitizer's interface for fibers. What programs get as a fiber is a start (starts.h), which the recorder knows
 * by its address; a fiber of ThreadSanitizer's runtime, if there is one, lies behind it. Entered by any thread.
 */
#include "annotations.h"
#include "starts.h"
#include "wrapper.h"
#include <string.h>

enum { NO_SYNC = 1 }; /* flag: switching orders nothing */

static __thread struct snarli_start native; /* what the calling thread is when it runs none of the fibers made here */
static __thread struct snarli_start *current;

static struct snarli_start *native_fiber(void) {
  snarli_fiber_native(&native.fiber);
  if (snarli_next.__tsan_get_current_fiber)
    native.argument = snarli_next.__tsan_get_current_fiber();
  return &native;
}

SNARLI_EXPORT void *__tsan_get_current_fiber(void) {
  if (!current)
    current = native_fiber();
  return current;
}

/* NULL, out of memory, is a fiber of which nothing is known. */
SNARLI_EXPORT void *__tsan_create_fiber(unsigned flags) {
  struct snarli_start *start = snarli_start_new();
  if (!start)
    return NULL;
  struct snarli_call call = snarli_call(SNARLI_HERE);
  start->fiber = (struct snarli_fiber){0, 0};
  start->hidden = 0;
  if (call.is_recorded)
    snarli_fiber_begin(&start->fiber, call.stack);
  start->argument = snarli_next.__tsan_create_fiber ? snarli_next.__tsan_create_fiber(flags) : NULL;
  return start;
}

SNARLI_EXPORT void __tsan_destroy_fiber(void *fiber) {
  struct snarli_start *start = fiber;
  if (!start)
    return;
  if (snarli_is_recording())
    snarli_fiber_end(&start->fiber);
  SNARLI_FORWARD(__tsan_destroy_fiber, (start->argument));
  snarli_start_leave(start);
  snarli_start_leave(start);
}

SNARLI_EXPORT void __tsan_switch_to_fiber(void *fiber, unsigned flags) {
  struct snarli_start *start = fiber;
  if (!start)
    return;
  struct snarli_start *from = __tsan_get_current_fiber();
  from->hidden = snarli_hidden_exchange(0); /* a lock may run others until it is free */
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (start == &native) /* a fork may have made it another thread's */
    snarli_fiber_native(&native.fiber);
  if (call.is_recorded)
    snarli_fiber_switch(&start->fiber, !(flags & NO_SYNC), call.stack);
  current = start;
  (void)snarli_hidden_exchange(start->hidden);
  SNARLI_FORWARD(__tsan_switch_to_fiber, (start->argument, flags));
}

SNARLI_EXPORT void __tsan_set_fiber_name(void *fiber, const char *name) {
  struct snarli_start *start = fiber;
  if (!start || !name)
    return;
  uint64_t handle = start == &native ? (uint64_t)pthread_self() : snarli_address(&start->fiber);
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, handle, snarli_blob_string(name, strlen(name)));
  SNARLI_FORWARD(__tsan_set_fiber_name, (start->argument, name));
}
