/* SPDX-License-Identifier: MIT
 *
 * ThreadSanitizer's interface for locks of the program's own. What happens between the two halves of an operation
 * belongs to the lock (the mutex and the condition that it is made of), so nothing of it is recorded; `divert` lifts
 * that for a while. Entered by any thread.
 */
#include "annotations.h"
#include "wrapper.h"

/* Bits of `flags`, as compiler-rt's tsan_interface.h documents them. */
enum {
  WRITE_REENTRANT = 1 << 1,
  READ_LOCK = 1 << 3,
  TRY_LOCK = 1 << 4,
  TRY_LOCK_FAILED = 1 << 5,
  RECURSIVE_UNLOCK = 1 << 7,
};

/* Operations of locks under way on this thread, as far as they are not diverted. One that is never ended keeps the
 * thread from being recorded, as it keeps ThreadSanitizer from seeing it. */
static __thread unsigned hidden;

unsigned snarli_hidden_exchange(unsigned depth) {
  unsigned old = hidden;
  if (old && !depth)
    snarli_resume();
  else if (!old && depth)
    snarli_suspend();
  hidden = depth;
  return old;
}

static void hide(void) {
  if (!hidden++)
    snarli_suspend();
}

static void show(void) {
  if (hidden && !--hidden)
    snarli_resume();
}

SNARLI_EXPORT void __tsan_mutex_create(void *lock, unsigned flags) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_INIT, flags & WRITE_REENTRANT ? SNARLI_T_RECURSIVE : 0, snarli_address(lock),
                      call.stack);
  SNARLI_FORWARD(__tsan_mutex_create, (lock, flags));
}

SNARLI_EXPORT void __tsan_mutex_destroy(void *lock, unsigned flags) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_DESTROYED, 0, snarli_address(lock), call.stack);
  SNARLI_FORWARD(__tsan_mutex_destroy, (lock, flags));
}

SNARLI_EXPORT void __tsan_mutex_pre_lock(void *lock, unsigned flags) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded && !(flags & TRY_LOCK))
    snarli_record_aux(flags & READ_LOCK ? SNARLI_R_LOCK_READ_REQUESTED : SNARLI_R_LOCK_WRITE_REQUESTED, 0,
                      snarli_address(lock), call.stack);
  SNARLI_FORWARD(__tsan_mutex_pre_lock, (lock, flags));
  hide();
}

SNARLI_EXPORT void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion) {
  SNARLI_FORWARD(__tsan_mutex_post_lock, (lock, flags, recursion));
  show();
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (!call.is_recorded)
    return;
  snarli_record_try(flags & READ_LOCK ? SNARLI_R_LOCK_READ_ACQUIRED : SNARLI_R_LOCK_WRITE_ACQUIRED,
                    SNARLI_R_LOCK_FAILED, flags & TRY_LOCK ? SNARLI_F_TRY : 0, flags & TRY_LOCK_FAILED ? EBUSY : 0,
                    snarli_address(lock), call.stack);
}

/* How often a lock is held is not counted here: one that is given up whole is taken again once, and what more is
 * released of it, the analyzer forgives. */
SNARLI_EXPORT int __tsan_mutex_pre_unlock(void *lock, unsigned flags) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_RELEASED, flags & RECURSIVE_UNLOCK ? SNARLI_F_IN_WAIT : 0, snarli_address(lock),
                      call.stack);
  hide();
  return snarli_next.__tsan_mutex_pre_unlock ? snarli_next.__tsan_mutex_pre_unlock(lock, flags) : 1;
}

SNARLI_EXPORT void __tsan_mutex_post_unlock(void *lock, unsigned flags) {
  SNARLI_FORWARD(__tsan_mutex_post_unlock, (lock, flags));
  show();
}

SNARLI_EXPORT void __tsan_mutex_pre_signal(void *lock, unsigned flags) {
  SNARLI_FORWARD(__tsan_mutex_pre_signal, (lock, flags));
  hide();
}

SNARLI_EXPORT void __tsan_mutex_post_signal(void *lock, unsigned flags) {
  SNARLI_FORWARD(__tsan_mutex_post_signal, (lock, flags));
  show();
}

SNARLI_EXPORT void __tsan_mutex_pre_divert(void *lock, unsigned flags) {
  SNARLI_FORWARD(__tsan_mutex_pre_divert, (lock, flags));
  show();
}

SNARLI_EXPORT void __tsan_mutex_post_divert(void *lock, unsigned flags) {
  SNARLI_FORWARD(__tsan_mutex_post_divert, (lock, flags));
  hide();
}
