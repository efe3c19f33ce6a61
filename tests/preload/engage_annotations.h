/* SPDX-License-Identifier: MIT
 *
 * The drivers of the annotations, which reach the shim by weak references, as in programs; a part of engage.c.
 */
#define ANNOTATION(body, ret, name, params, args) __attribute__((weak)) ret name params;
#include "../../preload/annotations.def"

static long annotated;

/* DRIVE_ONE(function, "records", arguments) */
#define DRIVE_ONE(name, records, ...)                                                                                  \
  DRIVE(name, records) {                                                                                               \
    MUST(name != NULL);                                                                                                \
    name(__VA_ARGS__);                                                                                                 \
  }
#define HERE __FILE__, __LINE__
DRIVE_ONE(AnnotateHappensBefore, "happens-before", HERE, &annotated)
DRIVE_ONE(AnnotateHappensAfter, "happens-after", HERE, &annotated)
DRIVE_ONE(WTFAnnotateHappensBefore, "happens-before", HERE, &annotated)
DRIVE_ONE(WTFAnnotateHappensAfter, "happens-after", HERE, &annotated)
DRIVE_ONE(AnnotateCondVarSignal, "happens-before", HERE, &annotated)
DRIVE_ONE(AnnotateCondVarSignalAll, "happens-before", HERE, &annotated)
DRIVE_ONE(AnnotateCondVarWait, "happens-after", HERE, &annotated, &annotated)
DRIVE_ONE(AnnotatePCQPut, "happens-before", HERE, &annotated)
DRIVE_ONE(AnnotatePCQGet, "happens-after", HERE, &annotated)
DRIVE_ONE(__tsan_release, "happens-before", &annotated)
DRIVE_ONE(__tsan_acquire, "happens-after", &annotated)
DRIVE_ONE(AnnotateRWLockCreate, "lock-init", HERE, &annotated)
DRIVE_ONE(AnnotateRWLockCreateStatic, "lock-init", HERE, &annotated)
DRIVE_ONE(AnnotateRWLockDestroy, "lock-destroyed", HERE, &annotated)
DRIVE(AnnotateRWLockAcquired, "lock-read-acquired lock-write-acquired") {
  AnnotateRWLockAcquired(HERE, &annotated, 1);
  AnnotateRWLockReleased(HERE, &annotated, 1);
  AnnotateRWLockAcquired(HERE, &annotated, 0);
  AnnotateRWLockReleased(HERE, &annotated, 0);
}
DRIVE_ONE(AnnotateRWLockReleased, "lock-released", HERE, &annotated, 1)
DRIVE_ONE(__tsan_mutex_create, "lock-init", &annotated, 0)
DRIVE_ONE(__tsan_mutex_destroy, "lock-destroyed", &annotated, 0)

/* What the lock is made of leaves nothing, unless it is diverted. */
static void inside(void) { MUST(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0); }
DRIVE(__tsan_mutex_pre_lock, "lock-write-requested lock-read-requested -mutex-acquired") {
  for (unsigned flags = 0; flags <= 8; flags += 8) {
    __tsan_mutex_pre_lock(&annotated, flags);
    inside();
    __tsan_mutex_post_lock(&annotated, flags, 0);
    MUST(__tsan_mutex_pre_unlock(&annotated, flags) == 1);
    inside();
    __tsan_mutex_post_unlock(&annotated, flags);
  }
}
enum { TRY = 1 << 4, FAILED = 1 << 5 };
DRIVE(__tsan_mutex_post_lock, "lock-write-acquired lock-failed -lock-write-requested") {
  for (unsigned flags = TRY; flags <= (TRY | FAILED); flags += FAILED) {
    __tsan_mutex_pre_lock(&annotated, flags);
    __tsan_mutex_post_lock(&annotated, flags, 0);
  }
}
DRIVE(__tsan_mutex_pre_unlock, "lock-released") {
  __tsan_mutex_pre_unlock(&annotated, 0);
  __tsan_mutex_post_unlock(&annotated, 0);
}
DRIVE(__tsan_mutex_post_unlock, "mutex-acquired -lock-released") {
  __tsan_mutex_post_unlock(&annotated, 0); /* without its beginning */
  inside();
}
DRIVE(__tsan_mutex_pre_signal, "-mutex-acquired") {
  __tsan_mutex_pre_signal(&annotated, 0);
  inside();
  __tsan_mutex_post_signal(&annotated, 0);
}
DRIVE(__tsan_mutex_post_signal, "mutex-acquired") {
  __tsan_mutex_pre_signal(&annotated, 0);
  __tsan_mutex_post_signal(&annotated, 0);
  inside();
}
DRIVE(__tsan_mutex_pre_divert, "lock-released mutex-acquired") {
  __tsan_mutex_pre_unlock(&annotated, 0);
  __tsan_mutex_pre_divert(&annotated, 0);
  inside();
  __tsan_mutex_post_divert(&annotated, 0);
  __tsan_mutex_post_unlock(&annotated, 0);
}
DRIVE(__tsan_mutex_post_divert, "lock-released -mutex-acquired") {
  __tsan_mutex_pre_unlock(&annotated, 0);
  __tsan_mutex_pre_divert(&annotated, 0);
  __tsan_mutex_post_divert(&annotated, 0);
  inside();
  __tsan_mutex_post_unlock(&annotated, 0);
}

static void switch_twice(unsigned flags) {
  void *own = __tsan_get_current_fiber(), *fiber = __tsan_create_fiber(0);
  MUST(own && fiber && fiber != own);
  __tsan_switch_to_fiber(fiber, flags);
  inside();
  MUST(__tsan_get_current_fiber() == fiber);
  __tsan_switch_to_fiber(own, flags);
  inside();
  MUST(__tsan_get_current_fiber() == own);
  __tsan_destroy_fiber(fiber);
}
DRIVE(__tsan_get_current_fiber, "") { MUST(__tsan_get_current_fiber() == __tsan_get_current_fiber()); }
DRIVE(__tsan_create_fiber, "thread-create-requested thread-created") { switch_twice(0); }
DRIVE(__tsan_switch_to_fiber, "fiber-switched fiber-switched fiber-switched-unordered fiber-switched-unordered") {
  switch_twice(0);
  switch_twice(1);
}
DRIVE(__tsan_destroy_fiber, "thread-end") { switch_twice(0); }
DRIVE(__tsan_set_fiber_name, "thread-named thread-named") {
  void *fiber = __tsan_create_fiber(0);
  __tsan_set_fiber_name(fiber, "fiber");
  __tsan_set_fiber_name(__tsan_get_current_fiber(), "driver");
  __tsan_destroy_fiber(fiber);
}

DRIVE_ONE(AnnotateThreadName, "thread-named", HERE, "driver")
DRIVE(AnnotateNewMemory, "memory-freed") {
  AnnotateHappensBefore(HERE, &annotated);
  AnnotateNewMemory(HERE, &annotated, sizeof annotated);
}
DRIVE_ONE(AnnotateBenignRace, "", HERE, &annotated, "")
DRIVE_ONE(AnnotateBenignRaceSized, "", HERE, &annotated, 8, "")
DRIVE_ONE(WTFAnnotateBenignRaceSized, "", HERE, &annotated, 8, "")
DRIVE_ONE(AnnotateMutexIsUsedAsCondVar, "", HERE, &annotated)
DRIVE_ONE(AnnotateMutexIsNotPHB, "", HERE, &annotated)
DRIVE_ONE(AnnotatePublishMemoryRange, "", HERE, &annotated, 8)
DRIVE_ONE(AnnotateUnpublishMemoryRange, "", HERE, &annotated, 8)
DRIVE_ONE(AnnotatePCQCreate, "", HERE, &annotated)
DRIVE_ONE(AnnotatePCQDestroy, "", HERE, &annotated)
DRIVE_ONE(AnnotateExpectRace, "", HERE, &annotated, "")
DRIVE_ONE(AnnotateFlushExpectedRaces, "", HERE)
DRIVE_ONE(AnnotateEnableRaceDetection, "", HERE, 1)
DRIVE_ONE(AnnotateTraceMemory, "", HERE, &annotated)
DRIVE_ONE(AnnotateIgnoreReadsBegin, "", HERE)
DRIVE_ONE(AnnotateIgnoreReadsEnd, "", HERE)
DRIVE_ONE(AnnotateIgnoreWritesBegin, "", HERE)
DRIVE_ONE(AnnotateIgnoreWritesEnd, "", HERE)
DRIVE_ONE(AnnotateIgnoreSyncBegin, "", HERE)
DRIVE_ONE(AnnotateIgnoreSyncEnd, "", HERE)
DRIVE_ONE(AnnotateFlushState, "", HERE)
DRIVE_ONE(AnnotateNoOp, "", HERE, &annotated)
DRIVE_ONE(AnnotateMemoryIsInitialized, "", HERE, &annotated, 8)
DRIVE_ONE(AnnotateMemoryIsUninitialized, "", HERE, &annotated, 8)
