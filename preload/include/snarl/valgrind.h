/* SPDX-License-Identifier: MIT
 *
 * The macros of Valgrind's helgrind.h and of drd.h's annotations, for programs that are annotated with them: include
 * this instead. They speak to Snarl as snarl/annotate.h does; what has no counterpart there evaluates its arguments and
 * does nothing.
 */
#ifndef SNARL_VALGRIND_H
#define SNARL_VALGRIND_H

#include <snarl/annotate.h>

#define SNARL_OBJECT(object) ((void *)(__UINTPTR_TYPE__)(object))
#define SNARL_NOTHING(object) ((void)(object))
#define SNARL_NOTHING_2(object, other) ((void)(object), (void)(other))

static inline void snarl_valgrind_acquired(void *lock, int is_writer) {
  snarl_own_lock_end(lock, is_writer ? 0u : (unsigned)SNARL_OWN_LOCK_READ, 1);
}
static inline void snarl_valgrind_released(void *lock, int is_writer) {
  unsigned flags = is_writer ? 0u : (unsigned)SNARL_OWN_LOCK_READ;
  snarl_own_unlock_begin(lock, flags);
  snarl_own_unlock_end(lock, flags);
}
/* A try that fails has no POST that could end what begins here. */
static inline void snarl_valgrind_lock_pre(void *lock, int is_try) {
  if (!is_try)
    snarl_own_lock_begin(lock, 0);
}

/* Order */
#define ANNOTATE_HAPPENS_BEFORE(object) snarl_happens_before(SNARL_OBJECT(object))
#define ANNOTATE_HAPPENS_AFTER(object) snarl_happens_after(SNARL_OBJECT(object))
#define ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(object) SNARL_NOTHING(object)
#define ANNOTATE_CONDVAR_SIGNAL(object) snarl_happens_before(SNARL_OBJECT(object))
#define ANNOTATE_CONDVAR_SIGNAL_ALL(object) snarl_happens_before(SNARL_OBJECT(object))
#define ANNOTATE_CONDVAR_WAIT(object) snarl_happens_after(SNARL_OBJECT(object))
#define ANNOTATE_CONDVAR_LOCK_WAIT(object, lock) ((void)(lock), snarl_happens_after(SNARL_OBJECT(object)))
#define ANNOTATE_PCQ_CREATE(queue) SNARL_NOTHING(queue)
#define ANNOTATE_PCQ_DESTROY(queue) SNARL_NOTHING(queue)
#define ANNOTATE_PCQ_PUT(queue) snarl_happens_before(SNARL_OBJECT(queue))
#define ANNOTATE_PCQ_GET(queue) snarl_happens_after(SNARL_OBJECT(queue))
#define ANNOTATE_SEM_INIT_PRE(sem, value) SNARL_NOTHING_2(sem, value)
#define ANNOTATE_SEM_DESTROY_POST(sem) SNARL_NOTHING(sem)
#define ANNOTATE_SEM_POST_PRE(sem) snarl_happens_before(SNARL_OBJECT(sem))
#define ANNOTATE_SEM_WAIT_PRE(sem) SNARL_NOTHING(sem)
#define ANNOTATE_SEM_WAIT_POST(sem) snarl_happens_after(SNARL_OBJECT(sem))
#define ANNOTATE_BARRIER_INIT(barrier, count, is_reusable) ((void)(barrier), (void)(count), (void)(is_reusable))
#define ANNOTATE_BARRIER_DESTROY(barrier) SNARL_NOTHING(barrier)
#define ANNOTATE_BARRIER_WAIT_BEFORE(barrier) snarl_happens_before(SNARL_OBJECT(barrier))
#define ANNOTATE_BARRIER_WAIT_AFTER(barrier) snarl_happens_after(SNARL_OBJECT(barrier))
#define VALGRIND_HG_SEM_INIT_POST(sem, value) SNARL_NOTHING_2(sem, value)
#define VALGRIND_HG_SEM_POST_PRE(sem) snarl_happens_before(SNARL_OBJECT(sem))
#define VALGRIND_HG_SEM_WAIT_POST(sem) snarl_happens_after(SNARL_OBJECT(sem))
#define VALGRIND_HG_SEM_DESTROY_PRE(sem) SNARL_NOTHING(sem)
#define VALGRIND_HG_BARRIER_INIT_PRE(barrier, count, is_resizable)                                                     \
  ((void)(barrier), (void)(count), (void)(is_resizable))
#define VALGRIND_HG_BARRIER_WAIT_PRE(barrier) SNARL_NOTHING(barrier)
#define VALGRIND_HG_BARRIER_RESIZE_PRE(barrier, count) SNARL_NOTHING_2(barrier, count)
#define VALGRIND_HG_BARRIER_DESTROY_PRE(barrier) SNARL_NOTHING(barrier)
#define VALGRIND_HG_GNAT_DEPENDENT_MASTER_JOIN(dependent, master) SNARL_NOTHING_2(dependent, master)

/* Locks */
#define ANNOTATE_RWLOCK_CREATE(lock) snarl_own_lock_created(SNARL_OBJECT(lock), 0)
#define ANNOTATE_RWLOCK_DESTROY(lock) snarl_own_lock_destroyed(SNARL_OBJECT(lock))
#define ANNOTATE_RWLOCK_ACQUIRED(lock, is_writer) snarl_valgrind_acquired(SNARL_OBJECT(lock), (is_writer) != 0)
#define ANNOTATE_RWLOCK_RELEASED(lock, is_writer) snarl_valgrind_released(SNARL_OBJECT(lock), (is_writer) != 0)
#define ANNOTATE_READERLOCK_ACQUIRED(lock) ANNOTATE_RWLOCK_ACQUIRED(lock, 0)
#define ANNOTATE_READERLOCK_RELEASED(lock) ANNOTATE_RWLOCK_RELEASED(lock, 0)
#define ANNOTATE_WRITERLOCK_ACQUIRED(lock) ANNOTATE_RWLOCK_ACQUIRED(lock, 1)
#define ANNOTATE_WRITERLOCK_RELEASED(lock) ANNOTATE_RWLOCK_RELEASED(lock, 1)
#define ANNOTATE_PURE_HAPPENS_BEFORE_MUTEX(lock) SNARL_NOTHING(lock)
#define ANNOTATE_MUTEX_IS_USED_AS_CONDVAR(lock) SNARL_NOTHING(lock)
#define VALGRIND_HG_MUTEX_INIT_POST(lock, is_recursive)                                                                \
  snarl_own_lock_created(SNARL_OBJECT(lock), (is_recursive) ? (unsigned)SNARL_OWN_LOCK_RECURSIVE : 0u)
#define VALGRIND_HG_MUTEX_LOCK_PRE(lock, is_try) snarl_valgrind_lock_pre(SNARL_OBJECT(lock), (is_try) != 0)
#define VALGRIND_HG_MUTEX_LOCK_POST(lock) snarl_own_lock_end(SNARL_OBJECT(lock), 0, 1)
#define VALGRIND_HG_MUTEX_UNLOCK_PRE(lock) snarl_own_unlock_begin(SNARL_OBJECT(lock), 0)
#define VALGRIND_HG_MUTEX_UNLOCK_POST(lock) snarl_own_unlock_end(SNARL_OBJECT(lock), 0)
#define VALGRIND_HG_MUTEX_DESTROY_PRE(lock) snarl_own_lock_destroyed(SNARL_OBJECT(lock))

/* Names and memory */
#define ANNOTATE_THREAD_NAME(name) snarl_thread_named(name)
#define ANNOTATE_NEW_MEMORY(memory, size) snarl_memory_new(SNARL_OBJECT(memory), size)
#define VALGRIND_HG_CLEAN_MEMORY(memory, size) snarl_memory_new(SNARL_OBJECT(memory), size)
#define VALGRIND_HG_CLEAN_MEMORY_HEAPBLOCK(block) ((void)(block), 0)

/* Of no use here: they speak of memory accesses */
#define ANNOTATE_BENIGN_RACE(memory, what) SNARL_NOTHING_2(memory, what)
#define ANNOTATE_BENIGN_RACE_SIZED(memory, size, what) ((void)(memory), (void)(size), (void)(what))
#define ANNOTATE_BENIGN_RACE_STATIC(variable, what)
#define ANNOTATE_EXPECT_RACE(memory, what) SNARL_NOTHING_2(memory, what)
#define ANNOTATE_TRACE_MEMORY(memory) SNARL_NOTHING(memory)
#define ANNOTATE_PUBLISH_MEMORY_RANGE(memory, size) SNARL_NOTHING_2(memory, size)
#define ANNOTATE_UNPUBLISH_MEMORY_RANGE(memory, size) SNARL_NOTHING_2(memory, size)
#define ANNOTATE_SWAP_MEMORY_RANGE(memory, size) SNARL_NOTHING_2(memory, size)
#define ANNOTATE_IGNORE_READS_BEGIN() ((void)0)
#define ANNOTATE_IGNORE_READS_END() ((void)0)
#define ANNOTATE_IGNORE_WRITES_BEGIN() ((void)0)
#define ANNOTATE_IGNORE_WRITES_END() ((void)0)
#define ANNOTATE_IGNORE_READS_AND_WRITES_BEGIN() ((void)0)
#define ANNOTATE_IGNORE_READS_AND_WRITES_END() ((void)0)
#define ANNOTATE_FLUSH_STATE() ((void)0)
#define ANNOTATE_NO_OP(argument) SNARL_NOTHING(argument)
#define VALGRIND_HG_DISABLE_CHECKING(memory, size) SNARL_NOTHING_2(memory, size)
#define VALGRIND_HG_ENABLE_CHECKING(memory, size) SNARL_NOTHING_2(memory, size)
#define VALGRIND_HG_GET_ABITS(memory, bits, count) ((void)(memory), (void)(bits), (void)(count), 0)

#endif
