/* SPDX-License-Identifier: MIT
 *
 * The macros of Valgrind's helgrind.h and drd.h, for programs that are annotated with them: include this instead, or
 * before. They speak to Snarl as snarl/annotate.h does. Those that are not here, and those that are empty, have no
 * counterpart.
 */
#ifndef SNARL_VALGRIND_H
#define SNARL_VALGRIND_H

#include <snarl/annotate.h>

#define SNARL_OBJECT(object) ((void *)(__UINTPTR_TYPE__)(object))

#define ANNOTATE_HAPPENS_BEFORE(object) snarl_happens_before(SNARL_OBJECT(object))
#define ANNOTATE_HAPPENS_AFTER(object) snarl_happens_after(SNARL_OBJECT(object))
#define ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(object) ((void)(object))
#define ANNOTATE_NEW_MEMORY(memory, size) snarl_memory_new(SNARL_OBJECT(memory), size)
#define ANNOTATE_THREAD_NAME(name) snarl_thread_named(name)
#define ANNOTATE_RWLOCK_CREATE(lock) snarl_own_lock_created(SNARL_OBJECT(lock), 0)
#define ANNOTATE_RWLOCK_DESTROY(lock) snarl_own_lock_destroyed(SNARL_OBJECT(lock))
#define ANNOTATE_RWLOCK_ACQUIRED(lock, is_writer)                                                                      \
  snarl_own_lock_end(SNARL_OBJECT(lock), (is_writer) ? 0u : (unsigned)SNARL_OWN_LOCK_READ, 1)
#define ANNOTATE_RWLOCK_RELEASED(lock, is_writer)                                                                      \
  (snarl_own_unlock_begin(SNARL_OBJECT(lock), (is_writer) ? 0u : (unsigned)SNARL_OWN_LOCK_READ),                       \
   snarl_own_unlock_end(SNARL_OBJECT(lock), (is_writer) ? 0u : (unsigned)SNARL_OWN_LOCK_READ))
#define ANNOTATE_READERLOCK_ACQUIRED(lock) ANNOTATE_RWLOCK_ACQUIRED(lock, 0)
#define ANNOTATE_READERLOCK_RELEASED(lock) ANNOTATE_RWLOCK_RELEASED(lock, 0)
#define ANNOTATE_WRITERLOCK_ACQUIRED(lock) ANNOTATE_RWLOCK_ACQUIRED(lock, 1)
#define ANNOTATE_WRITERLOCK_RELEASED(lock) ANNOTATE_RWLOCK_RELEASED(lock, 1)
#define ANNOTATE_BENIGN_RACE(memory, what) ((void)(memory), (void)(what))
#define ANNOTATE_BENIGN_RACE_SIZED(memory, size, what) ((void)(memory), (void)(size), (void)(what))
#define ANNOTATE_IGNORE_READS_BEGIN() ((void)0)
#define ANNOTATE_IGNORE_READS_END() ((void)0)
#define ANNOTATE_IGNORE_WRITES_BEGIN() ((void)0)
#define ANNOTATE_IGNORE_WRITES_END() ((void)0)
#define ANNOTATE_IGNORE_READS_AND_WRITES_BEGIN() ((void)0)
#define ANNOTATE_IGNORE_READS_AND_WRITES_END() ((void)0)

#define VALGRIND_HG_MUTEX_INIT_POST(lock, is_recursive)                                                                \
  snarl_own_lock_created(SNARL_OBJECT(lock), (is_recursive) ? (unsigned)SNARL_OWN_LOCK_RECURSIVE : 0u)
#define VALGRIND_HG_MUTEX_LOCK_PRE(lock, is_try)                                                                       \
  do { /* a try that fails has no POST */                                                                              \
    if (!(is_try))                                                                                                     \
      snarl_own_lock_begin(SNARL_OBJECT(lock), 0);                                                                     \
  } while (0)
#define VALGRIND_HG_MUTEX_LOCK_POST(lock) snarl_own_lock_end(SNARL_OBJECT(lock), 0, 1)
#define VALGRIND_HG_MUTEX_UNLOCK_PRE(lock) snarl_own_unlock_begin(SNARL_OBJECT(lock), 0)
#define VALGRIND_HG_MUTEX_UNLOCK_POST(lock) snarl_own_unlock_end(SNARL_OBJECT(lock), 0)
#define VALGRIND_HG_MUTEX_DESTROY_PRE(lock) snarl_own_lock_destroyed(SNARL_OBJECT(lock))
#define VALGRIND_HG_SEM_INIT_POST(sem, value) ((void)(sem), (void)(value))
#define VALGRIND_HG_SEM_POST_PRE(sem) snarl_happens_before(SNARL_OBJECT(sem))
#define VALGRIND_HG_SEM_WAIT_POST(sem) snarl_happens_after(SNARL_OBJECT(sem))
#define VALGRIND_HG_SEM_DESTROY_PRE(sem) ((void)(sem))
#define VALGRIND_HG_CLEAN_MEMORY(memory, size) snarl_memory_new(SNARL_OBJECT(memory), size)
#define VALGRIND_HG_DISABLE_CHECKING(memory, size) ((void)(memory), (void)(size))
#define VALGRIND_HG_ENABLE_CHECKING(memory, size) ((void)(memory), (void)(size))

#endif
