/* SPDX-License-Identifier: MIT
 *
 * Turns: the one test of the hot path. A thread's state is used by the call that took its turn; a signal handler that
 * comes in between finds the turn taken and goes the slow way, which blocks signals and touches nothing that the
 * interrupted call may be reading. A state that a fork wiped, and nobody's, give no turns either.
 *
 * `turn` holds the address of the frame that took it, which tells a handler that interrupted a call (it is the younger
 * frame) from one that was left by longjmp (its frame is gone, and an older one comes along). With handlers on stacks
 * of their own that may be mistaken: the turn is then taken over, and what the interrupted call has in hand stays good
 * because windows are pinned and the cache counts its flushes.
 */
#ifndef SNARLI_TURN_H
#define SNARLI_TURN_H

#include "recorder_state.h"

#define TURN_NONE 0ull    /* wiped, or nobody's */
#define TURN_FREE ~0ull   /* frames are aligned, so neither this nor the next is one */
#define TURN_NOTICED 1ull /* with a frame: somebody saw that it was interrupted */

static inline bool turn_take(struct recorder_thread *thread, const void *frame) {
  if (__builtin_expect(thread->turn != TURN_FREE, 0))
    return false;
  thread->turn = (uint64_t)(uintptr_t)frame;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return true;
}

static inline void turn_give(struct recorder_thread *thread) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  thread->turn = TURN_FREE;
}

/* Whoever goes the slow way: if a call was interrupted, the row that it may have claimed must stay where it is. */
static inline void turn_notice(struct recorder_thread *thread) {
  if (thread->turn == TURN_FREE || thread->turn == TURN_NONE || thread->turn & TURN_NOTICED)
    return;
  thread->turn |= TURN_NOTICED;
  thread->records.is_pinned = true;
}

/* Is `frame` younger than one that has the turn? Else the turn may be taken over. */
static inline bool turn_is_of_older(const struct recorder_thread *thread, const void *frame) {
  return thread->turn != TURN_FREE && thread->turn >= (uint64_t)(uintptr_t)frame;
}

#endif
