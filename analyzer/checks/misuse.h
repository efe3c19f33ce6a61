/* SPDX-License-Identifier: MIT
 *
 * The finding `misuse`: libsnarl refused a call, because of the state that its object was in. The call changed nothing
 * and said so by its status, but nobody meant to make it. One thread per analysis.
 */
#ifndef SNARL_CHECKS_MISUSE_H
#define SNARL_CHECKS_MISUSE_H

#include "../describe/describe.h"

struct misuse {
  struct thread *thread; /* pinned */
  struct object *object; /* pinned; NULL: none was known there */
  struct origin origin;
  uint8_t what; /* misuses.def */
  uint64_t count;
};

struct misuses {
  struct arena *arena;
  struct map seen; /* hash of a place, what and the object -> place in all */
  VECTOR(struct misuse) all;
};

void misuses_step(struct misuses *misuses, const struct event *event);
void misuses_announce(const struct misuses *misuses, struct describe *describe);
void misuses_report(const struct misuses *misuses, struct describe *describe, struct found_list *found);

#endif
