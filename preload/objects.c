/* SPDX-License-Identifier: MIT
 *
 * Wrappers by hand for the life of mutexes, reader-writer locks, spin locks and barriers, and for what of them fits no
 * uniform body. Entered by any thread.
 */
#include "wrapper.h"

static unsigned mutex_kind(const pthread_mutexattr_t *attr) {
  int kind = PTHREAD_MUTEX_DEFAULT;
  (void)pthread_mutexattr_gettype(attr, &kind);
  if (kind == PTHREAD_MUTEX_RECURSIVE)
    return SNARLI_T_RECURSIVE;
  if (kind == PTHREAD_MUTEX_ERRORCHECK)
    return SNARLI_T_ERRORCHECK;
  return kind == PTHREAD_MUTEX_ADAPTIVE_NP ? SNARLI_T_ADAPTIVE : 0;
}

static unsigned mutex_type(const pthread_mutexattr_t *attr) {
  if (!attr)
    return 0;
  unsigned type = mutex_kind(attr);
  int value = PTHREAD_PROCESS_PRIVATE;
  if (pthread_mutexattr_getpshared(attr, &value) == 0 && value == PTHREAD_PROCESS_SHARED)
    type |= SNARLI_T_SHARED;
  if (pthread_mutexattr_getrobust(attr, &value) == 0 && value == PTHREAD_MUTEX_ROBUST)
    type |= SNARLI_T_ROBUST;
  if (pthread_mutexattr_getprotocol(attr, &value) == 0 && value != PTHREAD_PRIO_NONE)
    type |= SNARLI_T_PRIORITY;
  return type;
}

SNARLI_EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_mutex_init(mutex, attr);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_mutex_init(mutex, attr);
  if (!error)
    snarli_record_aux(SNARLI_R_MUTEX_INIT, mutex_type(attr), snarli_address(mutex), stack);
  return error;
}

SNARLI_EXPORT int pthread_mutex_consistent(pthread_mutex_t *mutex) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_mutex_consistent(mutex);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_mutex_consistent(mutex);
  if (!error)
    snarli_record_aux(SNARLI_R_MUTEX_CONSISTENT, 0, snarli_address(mutex), stack);
  return error;
}

/* PTHREAD_RWLOCK_PREFER_WRITER_NP lets readers in past waiting writers, like the default: glibc's one kind that does
 * not is the non-recursive. */
static unsigned rwlock_type(const pthread_rwlockattr_t *attr) {
  if (!attr)
    return 0;
  int shared = PTHREAD_PROCESS_PRIVATE, kind = PTHREAD_RWLOCK_DEFAULT_NP;
  (void)pthread_rwlockattr_getpshared(attr, &shared);
  (void)pthread_rwlockattr_getkind_np(attr, &kind);
  return (shared == PTHREAD_PROCESS_SHARED ? SNARLI_T_SHARED : 0) |
         (kind == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP ? SNARLI_T_PREFER_WRITER : 0);
}

SNARLI_EXPORT int pthread_rwlock_init(pthread_rwlock_t *rwlock, const pthread_rwlockattr_t *attr) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_rwlock_init(rwlock, attr);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_rwlock_init(rwlock, attr);
  if (!error)
    snarli_record_aux(SNARLI_R_RWLOCK_INIT, rwlock_type(attr), snarli_address(rwlock), stack);
  return error;
}

SNARLI_EXPORT int pthread_spin_init(pthread_spinlock_t *spin, int shared) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_spin_init(spin, shared);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_spin_init(spin, shared);
  if (!error)
    snarli_record_aux(SNARLI_R_SPIN_INIT, shared == PTHREAD_PROCESS_SHARED ? SNARLI_T_SHARED : 0, snarli_address(spin),
                      stack);
  return error;
}

/* No record of a failure: unlocking a spin lock is one store. And no stack: others burn time until it is unlocked, and
 * a walk here, with many more threads than processors, made them wait for seconds. */
SNARLI_EXPORT int pthread_spin_unlock(pthread_spinlock_t *spin) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_SPIN_RELEASED, 0, snarli_address(spin), 0);
  return snarli_real()->pthread_spin_unlock(spin);
}

static unsigned barrier_type(const pthread_barrierattr_t *attr) {
  int shared = PTHREAD_PROCESS_PRIVATE;
  if (attr)
    (void)pthread_barrierattr_getpshared(attr, &shared);
  return shared == PTHREAD_PROCESS_SHARED ? SNARLI_T_SHARED : 0;
}

SNARLI_EXPORT int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr, unsigned count) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_barrier_init(barrier, attr, count);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_barrier_init(barrier, attr, count);
  if (!error) {
    snarli_record_aux(SNARLI_R_BARRIER_INIT, barrier_type(attr), snarli_address(barrier), stack);
    snarli_record_aux(SNARLI_R_BARRIER_COUNT, 0, snarli_address(barrier), count);
  }
  return error;
}

SNARLI_EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_barrier_wait(barrier);
  uint32_t stack = SNARLI_STACK;
  snarli_record_aux(SNARLI_R_BARRIER_REQUESTED, 0, snarli_address(barrier), stack);
  int result = snarli_real()->pthread_barrier_wait(barrier);
  bool is_serial = result == PTHREAD_BARRIER_SERIAL_THREAD;
  if (result == 0 || is_serial)
    snarli_record_aux(SNARLI_R_BARRIER_PASSED, is_serial, snarli_address(barrier), stack);
  else
    snarli_record_aux(SNARLI_R_BARRIER_FAILED, (unsigned)result, snarli_address(barrier), stack);
  return result;
}
