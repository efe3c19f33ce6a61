/* SPDX-License-Identifier: MIT
 *
 * Dynamic annotations: what programs tell of the order that they keep, and of their own locks, when they find somebody
 * who listens. Entered by any thread and by signal handlers.
 */
#include "annotations.h"
#include "wrapper.h"
#include <dlfcn.h>
#include <string.h>

struct snarli_next snarli_next;

struct row {
  const char *name;
  size_t slot;
};
static const struct row rows[] = {
#define ANNOTATION(body, ret, name, params, args) {#name, offsetof(struct snarli_next, name)},
#include "annotations.def"
};

/* Two look-ups that fail cost microseconds; all of them would be felt. dlerror takes back what they left. */
static __attribute__((constructor)) void next_find(void) {
  if (dlsym(RTLD_NEXT, "__tsan_init") || dlsym(RTLD_NEXT, "AnnotateHappensBefore"))
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
      *(void **)((char *)&snarli_next + rows[i].slot) = dlsym(RTLD_NEXT, rows[i].name);
  (void)dlerror();
}

#define BODY_NOTHING(ret, name, params, args)                                                                          \
  SNARLI_EXPORT ret name params { SNARLI_FORWARD(name, args); }

#define BODY_BEFORE(ret, name, params, args)                                                                           \
  SNARLI_EXPORT ret name params {                                                                                      \
    if (snarli_is_recording())                                                                                         \
      snarli_record_aux(SNARLI_R_HAPPENS_BEFORE, 0, snarli_address(o), 0);                                             \
    SNARLI_FORWARD(name, args);                                                                                        \
  }

#define BODY_AFTER(ret, name, params, args)                                                                            \
  SNARLI_EXPORT ret name params {                                                                                      \
    SNARLI_FORWARD(name, args);                                                                                        \
    if (snarli_is_recording())                                                                                         \
      snarli_record_aux(SNARLI_R_HAPPENS_AFTER, 0, snarli_address(o), 0);                                              \
  }

#define BODY_MANUAL(ret, name, params, args)

/* What a NOTHING says of memory is not looked at. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define ANNOTATION(body, ret, name, params, args) BODY_##body(ret, name, params, args)
#include "annotations.def"

SNARLI_EXPORT void AnnotateRWLockCreate(const char *file, int line, const volatile void *lock) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_INIT, 0, snarli_address(lock), call.stack);
  SNARLI_FORWARD(AnnotateRWLockCreate, (file, line, lock));
}

SNARLI_EXPORT void AnnotateRWLockCreateStatic(const char *file, int line, const volatile void *lock) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_INIT, 0, snarli_address(lock), call.stack);
  SNARLI_FORWARD(AnnotateRWLockCreateStatic, (file, line, lock));
}

SNARLI_EXPORT void AnnotateRWLockDestroy(const char *file, int line, const volatile void *lock) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_DESTROYED, 0, snarli_address(lock), call.stack);
  SNARLI_FORWARD(AnnotateRWLockDestroy, (file, line, lock));
}

SNARLI_EXPORT void AnnotateRWLockAcquired(const char *file, int line, const volatile void *lock, long is_writer) {
  SNARLI_FORWARD(AnnotateRWLockAcquired, (file, line, lock, is_writer));
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(is_writer ? SNARLI_R_LOCK_WRITE_ACQUIRED : SNARLI_R_LOCK_READ_ACQUIRED, 0, snarli_address(lock),
                      call.stack);
}

SNARLI_EXPORT void AnnotateRWLockReleased(const char *file, int line, const volatile void *lock, long is_writer) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  if (call.is_recorded)
    snarli_record_aux(SNARLI_R_LOCK_RELEASED, 0, snarli_address(lock), call.stack);
  SNARLI_FORWARD(AnnotateRWLockReleased, (file, line, lock, is_writer));
}

SNARLI_EXPORT void AnnotateThreadName(const char *file, int line, const char *name) {
  if (name && snarli_is_recording())
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, (uint64_t)pthread_self(), snarli_blob_string(name, strlen(name)));
  SNARLI_FORWARD(AnnotateThreadName, (file, line, name));
}

/* An allocator of the program's own hands out memory: what lay there before is no more. */
SNARLI_EXPORT void AnnotateNewMemory(const char *file, int line, const volatile void *memory, long size) {
  if (size > 0)
    snarli_memory_freed((const void *)memory, (size_t)size);
  SNARLI_FORWARD(AnnotateNewMemory, (file, line, memory, size));
}
