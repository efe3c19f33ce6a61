/* SPDX-License-Identifier: MIT
 *
 * Threads: creation, joins, names, cancellation; POSIX and C11. The new thread's index is chosen here, before it is
 * created, so that both name it alike. A thread's end is recorded by the recorder. Entered by any thread.
 */
#include "starts.h"
#include "wrapper.h"
#include <string.h>

/* glibc puts the control block at the top of the stack's memory, and on x86 the thread's static variables between it
 * and the frames. The bottom is that of a stack with no guard; a little is left out for the control block's size. */
static void stack_found(size_t size) {
  const char *block = (const char *)pthread_self(), *top = block;
#ifndef __x86_64__
  top = __builtin_frame_address(0);
#endif
  enum { CONTROL = 8192 };
  if (size > CONTROL)
    snarli_thread_stack(block - size + CONTROL, top);
}

/* Runs first in a new thread; afterwards the start may belong to another. */
static struct snarli_start start_take(struct snarli_start *start) {
  struct snarli_start copy = {
      .routine = start->routine, .argument = start->argument, .stack_size = start->stack_size, .index = start->index};
  atomic_store_explicit(&start->handle, (uintptr_t)pthread_self(), memory_order_release);
  snarli_start_leave(start);
  snarli_thread_begin(copy.index, (uint64_t)pthread_self(), copy.routine.address);
  stack_found(copy.stack_size);
  return copy;
}

static void *posix_trampoline(void *argument) {
  struct snarli_start start = start_take(argument);
  return start.routine.posix(start.argument);
}

static int c11_trampoline(void *argument) {
  struct snarli_start start = start_take(argument);
  return start.routine.c11(start.argument);
}

/* The default's if the program does not say. */
static size_t stack_size(const pthread_attr_t *attr) {
  pthread_attr_t usual;
  size_t size = 0;
  if (attr)
    (void)pthread_attr_getstacksize(attr, &size);
  else if (pthread_attr_init(&usual) == 0) {
    (void)pthread_attr_getstacksize(&usual, &size);
    (void)pthread_attr_destroy(&usual);
  }
  return size;
}

static void create_requested(struct snarli_start *start, const void *routine, void *argument,
                             const pthread_attr_t *attr, uint32_t stack) {
  start->routine.address = routine;
  start->argument = argument;
  start->stack_size = stack_size(attr);
  start->index = snarli_thread_reserve();
  snarli_record_aux(SNARLI_R_THREAD_CREATE_REQUESTED, 0, start->index, stack);
}

/* The new thread may have ended already, and freed the memory that `thread` lies in: once it runs, its handle is taken
 * from the start instead. */
static void create_returned(struct snarli_start *start, const pthread_t *thread, unsigned flags, int error,
                            uint32_t stack) {
  if (error) {
    snarli_record_aux(SNARLI_R_THREAD_CREATE_FAILED, (unsigned)error, start->index, stack);
    snarli_start_leave(start);
  } else {
    uintptr_t handle = atomic_load_explicit(&start->handle, memory_order_acquire);
    snarli_record_aux(SNARLI_R_THREAD_CREATED, flags, handle ? handle : (uintptr_t)*thread, stack);
  }
  snarli_start_leave(start);
}

static unsigned create_flags(const pthread_attr_t *attr) {
  int state = PTHREAD_CREATE_JOINABLE;
  if (attr)
    (void)pthread_attr_getdetachstate(attr, &state);
  return state == PTHREAD_CREATE_DETACHED ? SNARLI_F_DETACHED : 0;
}

SNARLI_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *),
                                 void *argument) {
  struct snarli_start *start = snarli_is_recording() ? snarli_start_new() : NULL;
  if (!start)
    return snarli_real()->pthread_create(thread, attr, routine, argument);
  uint32_t stack = SNARLI_STACK;
  unsigned flags = create_flags(attr);
  create_requested(start, (const void *)routine, argument, attr, stack);
  int error = snarli_real()->pthread_create(thread, attr, posix_trampoline, start);
  create_returned(start, thread, flags, error, stack);
  return error;
}

SNARLI_EXPORT int thrd_create(thrd_t *thread, thrd_start_t routine, void *argument) {
  struct snarli_start *start = snarli_is_recording() ? snarli_start_new() : NULL;
  if (!start)
    return snarli_real()->thrd_create(thread, routine, argument);
  uint32_t stack = SNARLI_STACK;
  create_requested(start, (const void *)routine, argument, NULL, stack);
  int result = snarli_real()->thrd_create(thread, c11_trampoline, start);
  create_returned(start, thread, 0, SNARLI_ERROR_C11(result), stack);
  return result;
}

static inline void join_requested(struct snarli_cancellable *call, unsigned flags) {
  snarli_record_aux(SNARLI_R_THREAD_JOIN_REQUESTED, flags, call->object, call->stack);
  call->type = SNARLI_R_THREAD_JOIN_FAILED;
}

static inline void join_returned(struct snarli_cancellable *call, unsigned flags, int error) {
  call->type = 0;
  if (error)
    snarli_record_aux(SNARLI_R_THREAD_JOIN_FAILED, (unsigned)error, call->object, call->stack);
  else
    snarli_record_aux(SNARLI_R_THREAD_JOINED, flags, call->object, call->stack);
}

SNARLI_EXPORT int pthread_join(pthread_t thread, void **result) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_join(thread, result);
  SNARLI_CANCELLABLE call = {0, (uint64_t)thread, SNARLI_STACK};
  join_requested(&call, 0);
  int error = snarli_real()->pthread_join(thread, result);
  join_returned(&call, 0, error);
  return error;
}

SNARLI_EXPORT int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_timedjoin_np(thread, result, end);
  SNARLI_CANCELLABLE call = {0, (uint64_t)thread, SNARLI_STACK};
  join_requested(&call, SNARLI_F_TIMED);
  int error = snarli_real()->pthread_timedjoin_np(thread, result, end);
  join_returned(&call, SNARLI_F_TIMED, error);
  return error;
}

SNARLI_EXPORT int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_clockjoin_np(thread, result, clock, end);
  SNARLI_CANCELLABLE call = {0, (uint64_t)thread, SNARLI_STACK};
  join_requested(&call, SNARLI_F_TIMED);
  int error = snarli_real()->pthread_clockjoin_np(thread, result, clock, end);
  join_returned(&call, SNARLI_F_TIMED, error);
  return error;
}

SNARLI_EXPORT int thrd_join(thrd_t thread, int *result) {
  if (!snarli_is_recording())
    return snarli_real()->thrd_join(thread, result);
  SNARLI_CANCELLABLE call = {0, (uint64_t)thread, SNARLI_STACK};
  join_requested(&call, 0);
  int status = snarli_real()->thrd_join(thread, result);
  join_returned(&call, 0, SNARLI_ERROR_C11(status));
  return status;
}

SNARLI_EXPORT int pthread_tryjoin_np(pthread_t thread, void **result) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_tryjoin_np(thread, result);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_tryjoin_np(thread, result);
  snarli_record_try(SNARLI_R_THREAD_JOINED, SNARLI_R_THREAD_JOIN_FAILED, SNARLI_F_TRY, error, (uint64_t)thread, stack);
  return error;
}

/* Detaching and cancelling are recorded before the call: after it the handle may already be another thread's. */
SNARLI_EXPORT int pthread_detach(pthread_t thread) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_THREAD_DETACHED, 0, (uint64_t)thread, SNARLI_STACK);
  return snarli_real()->pthread_detach(thread);
}

SNARLI_EXPORT int thrd_detach(thrd_t thread) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_THREAD_DETACHED, 0, (uint64_t)thread, SNARLI_STACK);
  return snarli_real()->thrd_detach(thread);
}

SNARLI_EXPORT int pthread_cancel(pthread_t thread) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_THREAD_CANCELLED, 0, (uint64_t)thread, SNARLI_STACK);
  return snarli_real()->pthread_cancel(thread);
}

SNARLI_EXPORT int pthread_setname_np(pthread_t thread, const char *name) {
  int error = snarli_real()->pthread_setname_np(thread, name);
  if (!error && snarli_is_recording())
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, (uint64_t)thread, snarli_blob_string(name, strlen(name)));
  return error;
}

/* The recorder's own key must not be the one that the program lacks. */
SNARLI_EXPORT int pthread_key_create(pthread_key_t *key, void (*destroy)(void *)) {
  int error = snarli_real()->pthread_key_create(key, destroy);
  return error == EAGAIN && snarli_thread_key_give_up() ? snarli_real()->pthread_key_create(key, destroy) : error;
}

SNARLI_EXPORT int tss_create(tss_t *key, tss_dtor_t destroy) {
  int result = snarli_real()->tss_create(key, destroy);
  return result != thrd_success && snarli_thread_key_give_up() ? snarli_real()->tss_create(key, destroy) : result;
}
