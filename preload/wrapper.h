/* SPDX-License-Identifier: MIT
 *
 * What every wrapper uses. The rules of this library: no malloc, no stdio, no lock, no exit; errno, return values,
 * cancellation and timeouts are the real function's; a record of giving something up comes before the real call, of
 * getting it after. A wrapper takes SNARLI_HERE in its own frame, so it must not be inlined: all are exported. It
 * takes it before the real call: the first walk from a place is slow, and while it holds a lock others would wait.
 */
#ifndef SNARLI_WRAPPER_H
#define SNARLI_WRAPPER_H

#include "real.h"
#include <errno.h>
#include <snarl/trace/recorder.h>
#include <stdint.h>

#define SNARLI_EXPORT __attribute__((visibility("default"), noinline))

/* The call stack from the caller of the function that this stands in. */
#define SNARLI_STACK snarli_stack(SNARLI_HERE)
#define SNARLI_STACK_IF_RECORDING (snarli_is_recording() ? SNARLI_STACK : 0)

/* Gives an exported function the version whose meaning it has, so that programs bound to an older one pass it by. The
 * nodes are in versions.map; only x86 has older versions of these names. */
#if defined(__x86_64__) || defined(__i386__)
#define SNARLI_VERSION_ANY(name)
#define SNARLI_VERSION_GLIBC_2_3_2(name) __asm__(".symver " #name ", " #name "@@@GLIBC_2.3.2");
#define SNARLI_VERSION_GLIBC_2_15(name) __asm__(".symver " #name ", " #name "@@@GLIBC_2.15");
#else
#define SNARLI_VERSION_ANY(name)
#define SNARLI_VERSION_GLIBC_2_3_2(name)
#define SNARLI_VERSION_GLIBC_2_15(name)
#endif

static inline uint64_t snarli_address(const volatile void *object) { return (uint64_t)(uintptr_t)object; }

static inline int snarli_error_c11(int result) {
  static const unsigned char errors[] = {[thrd_success] = 0,
                                         [thrd_busy] = EBUSY,
                                         [thrd_error] = EINVAL,
                                         [thrd_nomem] = ENOMEM,
                                         [thrd_timedout] = ETIMEDOUT};
  return (unsigned)result < sizeof errors ? errors[result] : EINVAL;
}

/* 0 or the errno that a function of each kind of result failed with. */
#define SNARLI_ERROR_CODE(result) (result)
#define SNARLI_ERROR_ERRNO(result) ((result) == -1 ? errno : 0)
#define SNARLI_ERROR_C11(result) snarli_error_c11(result)

static inline bool snarli_is_taken(int error) { return error == 0 || error == EOWNERDEAD; }

/* The outcome of a call that asked for something. */
static inline void snarli_record_outcome(enum snarli_record_type acquired, enum snarli_record_type failed,
                                         unsigned flags, int error, uint64_t object, uint32_t stack) {
  if (snarli_is_taken(error))
    snarli_record_aux(acquired, flags | (error ? SNARLI_F_OWNER_DIED : 0), object, stack);
  else
    snarli_record_aux(failed, (unsigned)error, object, stack);
}

/* The outcome of a call that cannot block. A program that polls fails again and again at one place: only the first
 * failure of such a run is recorded. */
void snarli_record_try(enum snarli_record_type acquired, enum snarli_record_type failed, unsigned flags, int error,
                       uint64_t object, uint32_t stack);

/* wait.c: the process that a pidfd stands for, 0: unknown. */
pid_t snarli_process_of_descriptor(int fd);

/* A blocking call that is a cancellation point: if the thread is cancelled in it, its frame is unwound, and what the
 * call would have recorded is recorded then, with ECANCELED. Declare it with SNARLI_CANCELLABLE and set `type` to
 * 0 after the call. */
struct snarli_cancellable {
  enum snarli_record_type type;
  uint64_t object;
  uint32_t stack;
};
void snarli_cancelled(struct snarli_cancellable *call);
#define SNARLI_CANCELLABLE __attribute__((cleanup(snarli_cancelled))) struct snarli_cancellable

#endif
