/* SPDX-License-Identifier: MIT
 *
 * For programs whose locks, queues or fibers are their own: tells Snarl what it cannot see. Include it and call;
 * nothing has to be linked, and a program that does not run under Snarl pays a test of an address. C11 and C++17; any
 * thread.
 *
 *   void lock(struct spin *spin) {
 *     snarl_own_lock_begin(spin, 0);
 *     while (atomic_exchange(&spin->is_taken, 1))
 *       ;
 *     snarl_own_lock_end(spin, 0, 1);
 *   }
 *
 * The functions behind it are weak references to those of ThreadSanitizer and of dynamic annotations, so the same calls
 * serve ThreadSanitizer. An executable that clang compiles with -fno-pie cannot have such references: there they do
 * nothing.
 */
#ifndef SNARL_ANNOTATE_H
#define SNARL_ANNOTATE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Without a table of procedures: in an executable that is not position-independent the linker would settle it. */
#if defined(__GNUC__) && !defined(__clang__)
#define SNARL_WEAK __attribute__((weak, noplt))
#else
#define SNARL_WEAK __attribute__((weak))
#endif

SNARL_WEAK void __tsan_acquire(void *object);
SNARL_WEAK void __tsan_release(void *object);
SNARL_WEAK void __tsan_mutex_create(void *lock, unsigned flags);
SNARL_WEAK void __tsan_mutex_destroy(void *lock, unsigned flags);
SNARL_WEAK void __tsan_mutex_pre_lock(void *lock, unsigned flags);
SNARL_WEAK void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion);
SNARL_WEAK int __tsan_mutex_pre_unlock(void *lock, unsigned flags);
SNARL_WEAK void __tsan_mutex_post_unlock(void *lock, unsigned flags);
SNARL_WEAK void *__tsan_get_current_fiber(void);
SNARL_WEAK void *__tsan_create_fiber(unsigned flags);
SNARL_WEAK void __tsan_destroy_fiber(void *fiber);
SNARL_WEAK void __tsan_switch_to_fiber(void *fiber, unsigned flags);
SNARL_WEAK void __tsan_set_fiber_name(void *fiber, const char *name);
SNARL_WEAK void AnnotateThreadName(const char *file, int line, const char *name);
SNARL_WEAK void AnnotateNewMemory(const char *file, int line, const volatile void *memory, long size);

enum {
  SNARL_OWN_LOCK_RECURSIVE = 1 << 1, /* with snarl_own_lock_created: a thread may take it again */
  SNARL_OWN_LOCK_READ = 1 << 3,      /* readers do not exclude each other */
  SNARL_OWN_LOCK_TRY = 1 << 4,       /* does not wait */
};

/* A lock that is never declared begins when it is first taken. */
static inline void snarl_own_lock_created(void *lock, unsigned flags) {
  if (__tsan_mutex_create)
    __tsan_mutex_create(lock, flags);
}
static inline void snarl_own_lock_destroyed(void *lock) {
  if (__tsan_mutex_destroy)
    __tsan_mutex_destroy(lock, 0);
}

/* Around taking and around giving up, with the same flags. What happens in between is not recorded: it is the lock's
 * own. Every begin must have its end. */
static inline void snarl_own_lock_begin(void *lock, unsigned flags) {
  if (__tsan_mutex_pre_lock)
    __tsan_mutex_pre_lock(lock, flags);
}
static inline void snarl_own_lock_end(void *lock, unsigned flags, int is_taken) {
  if (__tsan_mutex_post_lock)
    __tsan_mutex_post_lock(lock, is_taken ? flags : flags | 1u << 5, 0);
}
static inline void snarl_own_unlock_begin(void *lock, unsigned flags) {
  if (__tsan_mutex_pre_unlock)
    (void)__tsan_mutex_pre_unlock(lock, flags);
}
static inline void snarl_own_unlock_end(void *lock, unsigned flags) {
  if (__tsan_mutex_post_unlock)
    __tsan_mutex_post_unlock(lock, flags);
}

/* What comes after snarl_happens_after comes after a snarl_happens_before of the same object: a message, a flag. */
static inline void snarl_happens_before(void *object) {
  if (__tsan_release)
    __tsan_release(object);
}
static inline void snarl_happens_after(void *object) {
  if (__tsan_acquire)
    __tsan_acquire(object);
}

/* Fibers. What a fiber holds is held by it, whichever thread runs it. Switch just before the program does; to the
 * thread's own context by what snarl_fiber_current said there. NULL is a fiber of which nothing is known. */
static inline void *snarl_fiber_current(void) { return __tsan_get_current_fiber ? __tsan_get_current_fiber() : 0; }
static inline void *snarl_fiber_created(const char *name) {
  void *fiber = __tsan_create_fiber ? __tsan_create_fiber(0) : 0;
  if (fiber && name && __tsan_set_fiber_name)
    __tsan_set_fiber_name(fiber, name);
  return fiber;
}
static inline void snarl_fiber_destroyed(void *fiber) {
  if (fiber && __tsan_destroy_fiber)
    __tsan_destroy_fiber(fiber);
}
/* is_ordered: what was done before the switch comes before what the other fiber goes on to do. */
static inline void snarl_fiber_switch(void *fiber, int is_ordered) {
  if (fiber && __tsan_switch_to_fiber)
    __tsan_switch_to_fiber(fiber, is_ordered ? 0u : 1u);
}

/* The calling thread's name in reports. */
static inline void snarl_thread_named(const char *name) {
  if (AnnotateThreadName)
    AnnotateThreadName(__FILE__, __LINE__, name);
}

/* An allocator of the program's own hands out this memory: objects that lay there before are no more. */
static inline void snarl_memory_new(const void *memory, unsigned long size) {
  if (AnnotateNewMemory)
    AnnotateNewMemory(__FILE__, __LINE__, memory, (long)size);
}

#ifdef __cplusplus
}
#endif

#endif
