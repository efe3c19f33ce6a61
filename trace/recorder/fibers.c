/* SPDX-License-Identifier: MIT
 *
 * Fibers: a thread's records can go on as those of another of its fibers, which is a thread of its own to whoever reads
 * them. A fiber that a forked child inherits begins anew in the child's image, where its index means another. Entered
 * by the owning thread.
 */
#include "recorder_state.h"
#include "sys.h"
#include "turn.h"

static void records_go_on_as(struct recorder_thread *thread, uint32_t index) {
  uint64_t saved;
  sys_block_signals(&saved);
  turn_notice(thread);
  thread->index = index;
  if (window_has_room(&thread->records, 3))
    window_begin_thread(thread);
  else
    thread->records.pos = thread->records.end; /* the next window says whose it is */
  sys_restore_signals(&saved);
}

void snarli_fiber_begin(struct snarli_fiber *fiber, uint32_t stack) {
  fiber->index = snarli_thread_reserve();
  fiber->image = recorder.image;
  snarli_record_aux(SNARLI_R_THREAD_CREATE_REQUESTED, 0, fiber->index, stack);
  snarli_record_aux(SNARLI_R_THREAD_CREATED, SNARLI_F_DETACHED, (uint64_t)(uintptr_t)fiber, stack);
}

void snarli_fiber_native(struct snarli_fiber *fiber) {
  struct recorder_thread *thread = thread_self();
  fiber->index = thread ? thread_native_index() : 0;
  fiber->image = recorder.image;
}

void snarli_fiber_switch(struct snarli_fiber *to, bool is_ordered, uint32_t stack) {
  struct recorder_thread *thread = thread_self();
  if (!thread)
    return;
  if (to->image != recorder.image)
    snarli_fiber_begin(to, stack);
  if (thread->index == to->index)
    return;
  snarli_record_aux(is_ordered ? SNARLI_R_FIBER_SWITCHED : SNARLI_R_FIBER_SWITCHED_UNORDERED, 0, to->index, stack);
  records_go_on_as(thread, to->index);
}

void snarli_fiber_end(struct snarli_fiber *fiber) {
  struct recorder_thread *thread = thread_self();
  if (!thread || fiber->image != recorder.image)
    return;
  uint32_t index = thread->index;
  records_go_on_as(thread, fiber->index);
  snarli_record_aux(SNARLI_R_THREAD_END, 0, (uint64_t)(uintptr_t)fiber, 0);
  records_go_on_as(thread, index);
}

void fibers_leave(struct recorder_thread *thread) {
  if (thread->index != thread_native_index())
    records_go_on_as(thread, thread_native_index());
}
