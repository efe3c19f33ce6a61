/* SPDX-License-Identifier: MIT
 *
 * The finding `lock-order-cycle`: cycles that differ only in which locks of one kind or which threads take part are one
 * finding with a count. And the lock-order picture. One thread per analysis.
 */
#ifndef SNARL_CHECKS_LOCK_ORDER_H
#define SNARL_CHECKS_LOCK_ORDER_H

#include "../describe/describe.h"
#include "lock_cycles.h"

/* Cycles with the same sites. */
struct lock_group {
  uint64_t fingerprint, count;
  struct lock_cycle *best; /* the one shown: the highest verdict, the shortest, the first */
  int32_t number;          /* of the finding, from 1; 0: not yet */
};

struct lock_order {
  struct lock_cycles *cycles;
  struct describe *describe;
  VECTOR(struct lock_group) groups, impossible;
  VECTOR(uint32_t) group_of; /* of each possible cycle */
};

void lock_order_announce(const struct lock_cycles *cycles, struct describe *describe);
void lock_order_group(struct lock_order *order);
void lock_order_report(struct lock_order *order, struct found_list *found, struct found_list *impossible);
struct picture lock_order_picture(struct lock_order *order, bool show_all);
/* Where class i's thread took the lock that the class before wants. */
struct origin lock_cycle_held(const struct lock_cycles *cycles, const struct lock_cycle *cycle, uint32_t i);
/* Where it wanted the next. */
struct origin lock_cycle_wanted(const struct lock_cycle *cycle, uint32_t i);

#endif
