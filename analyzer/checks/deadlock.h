/* SPDX-License-Identifier: MIT
 *
 * The findings `deadlock` and `self-deadlock`: what is stuck at the end of a trace, and the wait-for picture. One
 * thread per analysis.
 */
#ifndef SNARL_CHECKS_DEADLOCK_H
#define SNARL_CHECKS_DEADLOCK_H

#include "../describe/describe.h"
#include "wait_graph.h"

/* Tells `describe` who takes part. */
void deadlock_announce(const struct wait_graph *graph, struct describe *describe);
void deadlock_report(const struct wait_graph *graph, struct describe *describe, struct found_list *found);
/* `cycle_of_core`: the number of the finding that each core became. */
struct picture deadlock_picture(const struct wait_graph *graph, struct describe *describe, const int32_t *cycle_of_core,
                                bool show_all);
/* All of these locks keep the threads of one core waiting. */
bool deadlock_covers(const struct wait_graph *graph, struct object *const *locks, uint32_t count);
/* "nobody is left to post it": how the wait of this node reads after "waits for X". */
const char *deadlock_because(const struct wait_graph *graph, struct describe *describe, const struct wait_node *node);
/* What the node's thread waits for. */
struct draft_object deadlock_awaited(const struct wait_graph *graph, const struct wait_node *node);

/* channel_words.c: what a poll waits for, and why a wait for a channel cannot end. */
struct draft_object channel_awaited(const struct wait_graph *graph, const struct thread *thread);
const char *channel_awaited_label(const struct wait_graph *graph, struct describe *describe,
                                  const struct thread *thread);
const char *channel_because(const struct wait_graph *graph, struct describe *describe, const struct thread *waiter);

static inline bool is_channel_wait(const struct wait *wait) {
  return wait->kind == WAIT_SEND || wait->kind == WAIT_RECEIVE || wait->kind == WAIT_POLL;
}

#endif
