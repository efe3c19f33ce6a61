/* SPDX-License-Identifier: MIT
 *
 * Why a lock-order cycle has its verdict (see lock_reasons.h). One thread per analysis.
 */
#include "lock_reasons.h"

/* NULL: it was not so. */
static const char *joined_before(struct thread *a, struct thread *b, struct describe *describe) {
  if (a->is_joined && b->created.time && a->joined.time <= b->created.time)
    return arena_print(describe->arena, "%s was joined%s before %s was started%s", describe_thread(describe, a),
                       describe_at(describe, a->joined), describe_thread(describe, b),
                       describe_at(describe, b->created));
  const struct process *process = a->process;
  if (process->is_reaped && process->first != b->process->first && process->reaped.time <= b->begun.time)
    return arena_print(describe->arena, "%s had ended and been waited for%s before %s began",
                       describe_process(describe, process), describe_at(describe, process->reaped),
                       describe_thread(describe, b));
  return NULL;
}

static const char *why_ordered(const struct lock_cycle *cycle, struct describe *describe) {
  for (uint32_t i = 0; i < cycle->length; i++)
    for (uint32_t j = 0; j < cycle->length; j++) {
      const char *text = i == j ? NULL : joined_before(cycle->chosen[i]->thread, cycle->chosen[j]->thread, describe);
      if (text)
        return text;
    }
  bool is_first = lock_cycle_wanted(cycle, 0).time <= lock_cycle_wanted(cycle, 1).time;
  struct thread *first = cycle->chosen[is_first ? 0 : 1]->thread, *second = cycle->chosen[is_first ? 1 : 0]->thread;
  return arena_print(
      describe->arena,
      "starts, joins, barriers or semaphores put the acquisitions of %s and %s in one order in every run",
      describe_thread(describe, first), describe_thread(describe, second));
}

static const char *why_not(const struct lock_cycles *cycles, const struct lock_cycle *cycle,
                           struct describe *describe) {
  switch (cycle->why_not) {
  case WHY_ONE_THREAD:
    if (cycle->chosen[0]->thread != cycle->chosen[1]->thread &&
        dependencies_are_of_one(cycle->chosen[0], cycle->chosen[1]))
      return arena_print(describe->arena, "one thread runs %s and %s, and leaves neither while it holds these locks",
                         describe_thread(describe, cycle->chosen[0]->thread),
                         describe_thread(describe, cycle->chosen[1]->thread));
    return arena_print(describe->arena, "%s alone takes them in both orders, and a thread cannot overtake itself",
                       describe_thread(describe, cycle->chosen[0]->thread));
  case WHY_GATE:
    return arena_print(describe->arena, "%s is held around both, so they cannot overlap",
                       describe_object(describe, cycle->culprit));
  case WHY_READERS:
    return arena_print(describe->arena, "%s is only read there, and readers do not exclude each other",
                       describe_object(describe, cycle->culprit));
  case WHY_TIMED:
    return arena_print(describe->arena, "the wait for %s%s ends by itself after a time",
                       describe_object(describe, lock_cycle_lock(cycles, cycle, cycle->culprit_at)),
                       describe_at(describe, lock_cycle_wanted(cycle, cycle->culprit_at)));
  case WHY_REFUSED:
    return "the kernel sees a circle of traditional record locks and fails the last wait with EDEADLK";
  case WHY_ORDERED:
    return why_ordered(cycle, describe);
  case WHY_POSSIBLE:
    break;
  }
  return "";
}

const char *lock_cycle_reason(const struct lock_cycles *cycles, const struct lock_cycle *cycle,
                              struct describe *describe) {
  if (cycle->verdict == VERDICT_IMPOSSIBLE)
    return why_not(cycles, cycle, describe);
  const char *writer = cycle->needs_writer ? ", if a writer waits between the readers" : "";
  if (cycle->verdict == VERDICT_UNCONFIRMED)
    return arena_print(describe->arena, "in this run a %s put these acquisitions in order; another run may not%s",
                       cycle->chosen[0]->thread->has_fibers ? "signal, a semaphore or a switch of fibers"
                                                            : "signal or a semaphore",
                       writer);
  return arena_print(describe->arena,
                     "the threads are distinct, no common lock keeps them apart, and nothing recorded orders them%s",
                     writer);
}
