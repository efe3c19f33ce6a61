/* SPDX-License-Identifier: MIT
 *
 * Condition variables, POSIX and C11. A wait gives its mutex up and takes it again inside the real function, so the
 * records of both are made around it; if the thread is cancelled in it, glibc takes the mutex again before it unwinds
 * our frame, and the same records are made then. Entered by any thread.
 */
#include "wrapper.h"

struct wait {
  uint64_t cond, mutex;
  uint32_t stack;
  unsigned flags;
  bool is_waiting;
};

static inline void wait_begin(struct wait *wait) {
  snarli_record_aux(SNARLI_R_COND_WAIT_REQUESTED, wait->flags, wait->cond, wait->stack);
  snarli_record_aux(SNARLI_R_MUTEX_RELEASED, SNARLI_F_IN_WAIT, wait->mutex, wait->stack);
  wait->is_waiting = true;
}

/* Is the mutex held after a wait that ended so? Not if it was never given up (EPERM: not the owner; EINVAL: a bad
 * timeout), nor if it cannot be taken any more (ENOTRECOVERABLE). */
static void wait_end(struct wait *wait, int error) {
  wait->is_waiting = false;
  if (snarli_is_taken(error) || error == ETIMEDOUT || error == ECANCELED)
    snarli_record_aux(SNARLI_R_MUTEX_ACQUIRED,
                      SNARLI_F_IN_WAIT | wait->flags | (error == EOWNERDEAD ? SNARLI_F_OWNER_DIED : 0), wait->mutex,
                      wait->stack);
  else if (error == ENOTRECOVERABLE)
    snarli_record_aux(SNARLI_R_MUTEX_FAILED, (unsigned)error, wait->mutex, wait->stack);
  else
    snarli_record_aux(SNARLI_R_MUTEX_RELEASE_FAILED, (unsigned)error, wait->mutex, wait->stack);
  snarli_record_aux(SNARLI_R_COND_WAIT_RETURNED, (unsigned)error, wait->cond, wait->stack);
}

static void wait_cancelled(struct wait *wait) {
  if (wait->is_waiting)
    wait_end(wait, ECANCELED);
}

#define WAIT(flags)                                                                                                    \
  __attribute__((cleanup(wait_cancelled))) struct wait wait = {snarli_address(cond), snarli_address(mutex),            \
                                                               SNARLI_STACK, flags, false}

SNARLI_VERSION_GLIBC_2_3_2(pthread_cond_wait)
SNARLI_EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_cond_wait(cond, mutex);
  WAIT(0);
  wait_begin(&wait);
  int error = snarli_real()->pthread_cond_wait(cond, mutex);
  wait_end(&wait, error);
  return error;
}

SNARLI_VERSION_GLIBC_2_3_2(pthread_cond_timedwait)
SNARLI_EXPORT int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_cond_timedwait(cond, mutex, end);
  WAIT(SNARLI_F_TIMED);
  wait_begin(&wait);
  int error = snarli_real()->pthread_cond_timedwait(cond, mutex, end);
  wait_end(&wait, error);
  return error;
}

SNARLI_EXPORT int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                         const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_cond_clockwait(cond, mutex, clock, end);
  WAIT(SNARLI_F_TIMED);
  wait_begin(&wait);
  int error = snarli_real()->pthread_cond_clockwait(cond, mutex, clock, end);
  wait_end(&wait, error);
  return error;
}

SNARLI_EXPORT int cnd_wait(cnd_t *cond, mtx_t *mutex) {
  if (!snarli_is_recording())
    return snarli_real()->cnd_wait(cond, mutex);
  WAIT(0);
  wait_begin(&wait);
  int result = snarli_real()->cnd_wait(cond, mutex);
  wait_end(&wait, SNARLI_ERROR_C11(result));
  return result;
}

SNARLI_EXPORT int cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->cnd_timedwait(cond, mutex, end);
  WAIT(SNARLI_F_TIMED);
  wait_begin(&wait);
  int result = snarli_real()->cnd_timedwait(cond, mutex, end);
  wait_end(&wait, SNARLI_ERROR_C11(result));
  return result;
}

static unsigned cond_type(const pthread_condattr_t *attr) {
  int shared = PTHREAD_PROCESS_PRIVATE;
  if (attr)
    (void)pthread_condattr_getpshared(attr, &shared);
  return shared == PTHREAD_PROCESS_SHARED ? SNARLI_T_SHARED : 0;
}

SNARLI_VERSION_GLIBC_2_3_2(pthread_cond_init)
SNARLI_EXPORT int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_cond_init(cond, attr);
  uint32_t stack = SNARLI_STACK;
  int error = snarli_real()->pthread_cond_init(cond, attr);
  if (!error)
    snarli_record_aux(SNARLI_R_COND_INIT, cond_type(attr), snarli_address(cond), stack);
  return error;
}

SNARLI_EXPORT int cnd_init(cnd_t *cond) {
  if (!snarli_is_recording())
    return snarli_real()->cnd_init(cond);
  uint32_t stack = SNARLI_STACK;
  int result = snarli_real()->cnd_init(cond);
  if (result == thrd_success)
    snarli_record_aux(SNARLI_R_COND_INIT, SNARLI_T_C11, snarli_address(cond), stack);
  return result;
}

/* Notifying cannot fail on a condition variable that is one. */
SNARLI_VERSION_GLIBC_2_3_2(pthread_cond_signal)
SNARLI_EXPORT int pthread_cond_signal(pthread_cond_t *cond) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_COND_SIGNALLED, 0, snarli_address(cond), SNARLI_STACK);
  return snarli_real()->pthread_cond_signal(cond);
}

SNARLI_VERSION_GLIBC_2_3_2(pthread_cond_broadcast)
SNARLI_EXPORT int pthread_cond_broadcast(pthread_cond_t *cond) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_COND_BROADCAST, 0, snarli_address(cond), SNARLI_STACK);
  return snarli_real()->pthread_cond_broadcast(cond);
}

SNARLI_EXPORT int cnd_signal(cnd_t *cond) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_COND_SIGNALLED, 0, snarli_address(cond), SNARLI_STACK);
  return snarli_real()->cnd_signal(cond);
}

SNARLI_EXPORT int cnd_broadcast(cnd_t *cond) {
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_COND_BROADCAST, 0, snarli_address(cond), SNARLI_STACK);
  return snarli_real()->cnd_broadcast(cond);
}

SNARLI_EXPORT void cnd_destroy(cnd_t *cond) {
  snarli_real()->cnd_destroy(cond);
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_COND_DESTROYED, 0, snarli_address(cond), SNARLI_STACK);
}

SNARLI_EXPORT int mtx_init(mtx_t *mutex, int type) {
  if (!snarli_is_recording())
    return snarli_real()->mtx_init(mutex, type);
  uint32_t stack = SNARLI_STACK;
  int result = snarli_real()->mtx_init(mutex, type);
  if (result == thrd_success)
    snarli_record_aux(SNARLI_R_MUTEX_INIT, SNARLI_T_C11 | (type & mtx_recursive ? SNARLI_T_RECURSIVE : 0),
                      snarli_address(mutex), stack);
  return result;
}

SNARLI_EXPORT void mtx_destroy(mtx_t *mutex) {
  snarli_real()->mtx_destroy(mutex);
  if (snarli_is_recording())
    snarli_record_aux(SNARLI_R_MUTEX_DESTROYED, 0, snarli_address(mutex), SNARLI_STACK);
}
