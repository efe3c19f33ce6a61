/* SPDX-License-Identifier: MIT
 *
 * The wrappers that are all alike, one per row of wrapped.def whose body is not MANUAL. Entered by any thread and, as
 * far as the program dares, by its signal handlers.
 *
 * A LOCK calls the try form first, so that an uncontended lock costs one record. That is the same as calling the
 * blocking form, because wherever glibc's try form succeeds its blocking form would have succeeded at once and with the
 * same effect, and where it fails the blocking form is called and decides:
 *   - mutex: normal, recursive (counts up for the owner, EAGAIN when full), error-checking (EBUSY here, EDEADLK there),
 *     adaptive, priority inheriting and protecting (the ceiling is put back). Not the robust ones: glibc's trylock
 *     leaves a mutex that cannot be recovered locked, and a lock after it would hang instead of failing.
 *   - rwlock: tryrdlock succeeds exactly in the states in which rdlock registers and returns without waiting; the one
 *     state with a preference, a waiting writer of PREFER_WRITER_NONRECURSIVE, makes the one fail and the other wait.
 *     trywrlock likewise. EDEADLK comes from the blocking form, after EBUSY here.
 *   - spin lock: both are one exchange.
 * The TIMED forms are not tried first: whether a bad timeout matters when the lock is free differs between them.
 */
#include "wrapper.h"

#define SNARLI_R_RWLOCK_READ_FAILED SNARLI_R_RWLOCK_FAILED
#define SNARLI_R_RWLOCK_WRITE_FAILED SNARLI_R_RWLOCK_FAILED

/* The try form of each LOCK, and whether it may come first. */
#define TRY_pthread_mutex_lock pthread_mutex_trylock
#define TRY_pthread_rwlock_rdlock pthread_rwlock_tryrdlock
#define TRY_pthread_rwlock_wrlock pthread_rwlock_trywrlock
#define TRY_pthread_spin_lock pthread_spin_trylock
#define TRY_mtx_lock mtx_trylock
#define MAY_TRY_pthread_mutex_lock(o) (!is_robust(o))
#define MAY_TRY_pthread_rwlock_rdlock(o) true
#define MAY_TRY_pthread_rwlock_wrlock(o) true
#define MAY_TRY_pthread_spin_lock(o) true
#define MAY_TRY_mtx_lock(o) true

/* The kind is part of glibc's binary interface: static initializers store it. */
static inline bool is_robust(const pthread_mutex_t *mutex) {
  enum { ROBUST = 16 };
  return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) & ROBUST;
}

#define OUTCOME(record, flags, result, object)                                                                         \
  record(SNARLI_R_##object##_ACQUIRED, SNARLI_R_##object##_FAILED, flags, SNARLI_ERROR_##result(status),               \
         snarli_address(o), call.stack)

#define BODY_LOCK(result, object, ret, name, params, args)                                                             \
  SNARLI_EXPORT ret name params {                                                                                      \
    struct snarli_call call = snarli_call(SNARLI_HERE);                                                                \
    if (!call.is_recorded)                                                                                             \
      return snarli_real()->name args;                                                                                 \
    ret status = -1;                                                                                                   \
    if (MAY_TRY_##name(o))                                                                                             \
      status = snarli_real()->TRY_##name args;                                                                         \
    if (!snarli_is_taken(SNARLI_ERROR_##result(status))) {                                                             \
      snarli_record_aux(SNARLI_R_##object##_REQUESTED, 0, snarli_address(o), call.stack);                              \
      status = snarli_real()->name args;                                                                               \
    }                                                                                                                  \
    OUTCOME(snarli_record_outcome, 0, result, object);                                                                 \
    return status;                                                                                                     \
  }

#define BODY_TRY(result, object, ret, name, params, args)                                                              \
  SNARLI_EXPORT ret name params {                                                                                      \
    struct snarli_call call = snarli_call(SNARLI_HERE);                                                                \
    if (!call.is_recorded)                                                                                             \
      return snarli_real()->name args;                                                                                 \
    ret status = snarli_real()->name args;                                                                             \
    OUTCOME(snarli_record_try, SNARLI_F_TRY, result, object);                                                          \
    return status;                                                                                                     \
  }

#define BODY_TIMED(result, object, ret, name, params, args)                                                            \
  SNARLI_EXPORT ret name params {                                                                                      \
    struct snarli_call call = snarli_call(SNARLI_HERE);                                                                \
    if (!call.is_recorded)                                                                                             \
      return snarli_real()->name args;                                                                                 \
    snarli_record_aux(SNARLI_R_##object##_REQUESTED, SNARLI_F_TIMED, snarli_address(o), call.stack);                   \
    ret status = snarli_real()->name args;                                                                             \
    OUTCOME(snarli_record_outcome, SNARLI_F_TIMED, result, object);                                                    \
    return status;                                                                                                     \
  }

#define BODY_UNLOCK(result, object, ret, name, params, args)                                                           \
  SNARLI_EXPORT ret name params {                                                                                      \
    struct snarli_call call = snarli_call_releasing(SNARLI_R_##object##_RELEASED, snarli_address(o), SNARLI_HERE);     \
    ret status = snarli_real()->name args;                                                                             \
    if (__builtin_expect(call.is_recorded && SNARLI_ERROR_##result(status), 0))                                        \
      snarli_record_aux(SNARLI_R_##object##_RELEASE_FAILED, (unsigned)SNARLI_ERROR_##result(status),                   \
                        snarli_address(o), call.stack);                                                                \
    return status;                                                                                                     \
  }

#define BODY_DESTROY(result, object, ret, name, params, args)                                                          \
  SNARLI_EXPORT ret name params {                                                                                      \
    struct snarli_call call = snarli_call(SNARLI_HERE);                                                                \
    if (!call.is_recorded)                                                                                             \
      return snarli_real()->name args;                                                                                 \
    ret status = snarli_real()->name args;                                                                             \
    if (SNARLI_ERROR_##result(status) == 0)                                                                            \
      snarli_record_aux(SNARLI_R_##object##_DESTROYED, 0, snarli_address(o), call.stack);                              \
    return status;                                                                                                     \
  }

#define BODY_RECEIVE(result, object, ret, name, params, args)
#define BODY_SEND(result, object, ret, name, params, args)
#define BODY_OPEN(result, object, ret, name, params, args)
#define BODY_MANUAL(result, object, ret, name, params, args)

SNARLI_VERSION_GLIBC_2_3_2(pthread_cond_destroy)

#define WRAP(body, result, object, ret, name, params, args, version)                                                   \
  BODY_##body(result, object, ret, name, params, args)
#include "wrapped.def"
