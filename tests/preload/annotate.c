/* SPDX-License-Identifier: MIT
 *
 * The public headers, alone and as strictly as compilers can be, in C and in C++: do their references lead into the
 * shim (`annotate shim`), or nowhere without it (`annotate -`), and does each call do no harm? One thread.
 */
#include <snarl/valgrind.h>
#include <stdio.h>
#include <string.h>

static int object;

static void call_all(void) {
  snarl_own_lock_created(&object, SNARL_OWN_LOCK_RECURSIVE);
  snarl_own_lock_begin(&object, SNARL_OWN_LOCK_READ);
  snarl_own_lock_end(&object, SNARL_OWN_LOCK_READ, 1);
  snarl_own_unlock_begin(&object, SNARL_OWN_LOCK_READ);
  snarl_own_unlock_end(&object, SNARL_OWN_LOCK_READ);
  snarl_own_lock_begin(&object, SNARL_OWN_LOCK_TRY);
  snarl_own_lock_end(&object, SNARL_OWN_LOCK_TRY, 0);
  snarl_own_lock_destroyed(&object);
  snarl_happens_before(&object);
  snarl_happens_after(&object);
  void *own = snarl_fiber_current(), *fiber = snarl_fiber_created("fiber");
  snarl_fiber_switch(fiber, 1);
  snarl_fiber_switch(own, 0);
  snarl_fiber_destroyed(fiber);
  snarl_thread_named("named");
  snarl_memory_new(&object, sizeof object);
}

static void use_macros_of_order(void) {
  ANNOTATE_HAPPENS_BEFORE(&object);
  ANNOTATE_HAPPENS_AFTER(&object);
  ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(&object);
  ANNOTATE_CONDVAR_SIGNAL(&object);
  ANNOTATE_CONDVAR_SIGNAL_ALL(&object);
  ANNOTATE_CONDVAR_WAIT(&object);
  ANNOTATE_CONDVAR_LOCK_WAIT(&object, &object);
  ANNOTATE_PCQ_CREATE(&object);
  ANNOTATE_PCQ_PUT(&object);
  ANNOTATE_PCQ_GET(&object);
  ANNOTATE_PCQ_DESTROY(&object);
  ANNOTATE_SEM_INIT_PRE(&object, 0);
  ANNOTATE_SEM_POST_PRE(&object);
  ANNOTATE_SEM_WAIT_PRE(&object);
  ANNOTATE_SEM_WAIT_POST(&object);
  ANNOTATE_SEM_DESTROY_POST(&object);
  ANNOTATE_BARRIER_INIT(&object, 2, 1);
  ANNOTATE_BARRIER_WAIT_BEFORE(&object);
  ANNOTATE_BARRIER_WAIT_AFTER(&object);
  ANNOTATE_BARRIER_DESTROY(&object);
  VALGRIND_HG_SEM_INIT_POST(&object, 0);
  VALGRIND_HG_SEM_POST_PRE(&object);
  VALGRIND_HG_SEM_WAIT_POST(&object);
  VALGRIND_HG_SEM_DESTROY_PRE(&object);
  VALGRIND_HG_BARRIER_INIT_PRE(&object, 2, 0);
  VALGRIND_HG_BARRIER_WAIT_PRE(&object);
  VALGRIND_HG_BARRIER_RESIZE_PRE(&object, 3);
  VALGRIND_HG_BARRIER_DESTROY_PRE(&object);
  VALGRIND_HG_GNAT_DEPENDENT_MASTER_JOIN(&object, &object);
}

static void use_macros_of_locks(void) {
  ANNOTATE_RWLOCK_CREATE(&object);
  ANNOTATE_WRITERLOCK_ACQUIRED(&object);
  ANNOTATE_WRITERLOCK_RELEASED(&object);
  ANNOTATE_READERLOCK_ACQUIRED(&object);
  ANNOTATE_READERLOCK_RELEASED(&object);
  ANNOTATE_PURE_HAPPENS_BEFORE_MUTEX(&object);
  ANNOTATE_MUTEX_IS_USED_AS_CONDVAR(&object);
  ANNOTATE_RWLOCK_DESTROY(&object);
  VALGRIND_HG_MUTEX_INIT_POST(&object, 1);
  VALGRIND_HG_MUTEX_LOCK_PRE(&object, 0);
  VALGRIND_HG_MUTEX_LOCK_POST(&object);
  VALGRIND_HG_MUTEX_UNLOCK_PRE(&object);
  VALGRIND_HG_MUTEX_UNLOCK_POST(&object);
  VALGRIND_HG_MUTEX_LOCK_PRE(&object, 1);
  VALGRIND_HG_MUTEX_DESTROY_PRE(&object);
}

ANNOTATE_BENIGN_RACE_STATIC(object, "none")

static void use_macros_of_memory(void) {
  ANNOTATE_THREAD_NAME("named");
  ANNOTATE_BENIGN_RACE(&object, "none");
  ANNOTATE_BENIGN_RACE_SIZED(&object, sizeof object, "none");
  ANNOTATE_EXPECT_RACE(&object, "none");
  ANNOTATE_TRACE_MEMORY(&object);
  ANNOTATE_PUBLISH_MEMORY_RANGE(&object, sizeof object);
  ANNOTATE_UNPUBLISH_MEMORY_RANGE(&object, sizeof object);
  ANNOTATE_SWAP_MEMORY_RANGE(&object, sizeof object);
  ANNOTATE_IGNORE_READS_BEGIN();
  ANNOTATE_IGNORE_READS_END();
  ANNOTATE_IGNORE_WRITES_BEGIN();
  ANNOTATE_IGNORE_WRITES_END();
  ANNOTATE_IGNORE_READS_AND_WRITES_BEGIN();
  ANNOTATE_IGNORE_READS_AND_WRITES_END();
  ANNOTATE_FLUSH_STATE();
  ANNOTATE_NO_OP(&object);
  ANNOTATE_NEW_MEMORY(&object, sizeof object);
  VALGRIND_HG_DISABLE_CHECKING(&object, sizeof object);
  VALGRIND_HG_ENABLE_CHECKING(&object, sizeof object);
  (void)VALGRIND_HG_GET_ABITS(&object, &object, 0);
  (void)VALGRIND_HG_CLEAN_MEMORY_HEAPBLOCK(&object);
  VALGRIND_HG_CLEAN_MEMORY(&object, sizeof object);
}

int main(int argc, char **argv) {
  int is_bound = __tsan_release && __tsan_acquire && __tsan_mutex_create && __tsan_mutex_destroy &&
                 __tsan_mutex_pre_lock && __tsan_mutex_post_lock && __tsan_mutex_pre_unlock &&
                 __tsan_mutex_post_unlock && __tsan_get_current_fiber && __tsan_create_fiber && __tsan_destroy_fiber &&
                 __tsan_switch_to_fiber && __tsan_set_fiber_name && AnnotateThreadName && AnnotateNewMemory;
  call_all();
  use_macros_of_order();
  use_macros_of_locks();
  use_macros_of_memory();
  puts(is_bound ? "bound" : "nowhere");
  return is_bound != (argc == 2 && strcmp(argv[1], "shim") == 0);
}
