/* SPDX-License-Identifier: MIT
 *
 * What a program leaves behind, seen at the end of its trace: threads that ended and were neither joined nor detached,
 * locks that their holder took along when it ended, executors that were not shut down, and failures of tasks that
 * nobody asked for. Only programs that ended by themselves are judged: of one
 * that was killed nobody knows what it was going to do. One thread per value.
 */
#ifndef SNARL_CHECKS_LEAKS_H
#define SNARL_CHECKS_LEAKS_H

#include "../describe/describe.h"
#include "wait_graph.h"

struct leaks {
  const struct wait_graph *waits; /* whoever is stuck behind a lost lock is reported there */
  struct describe *describe;
};

/* Tells `describe` who takes part; before any label is asked for. */
void leaks_announce(const struct leaks *leaks);
void leaks_report(const struct leaks *leaks, struct found_list *found);

#endif
