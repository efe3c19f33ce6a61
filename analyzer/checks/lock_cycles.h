/* SPDX-License-Identifier: MIT
 *
 * Cycles of abstract acquires, and how far up the ladder each gets. Dependencies that differ in their thread only are
 * one *class*; a cycle is a ring of classes, each of which wants a lock that the next holds. It is a deadlock pattern
 * (Bensalem and Havelund 2005; Agarwal, Wang and Stoller 2005) when distinct threads can be chosen, no two of its
 * locksets conflict (a common lock is a *gate*), each wait is one that blocks for good, and each holder's mode excludes
 * the wanted one. It can have happened when the chosen acquires are unordered. One thread per value.
 */
#ifndef SNARL_CHECKS_LOCK_CYCLES_H
#define SNARL_CHECKS_LOCK_CYCLES_H

#include "dependencies.h"
#include <snarl/finding.h>

struct lock_class {
  struct lockset *held;
  struct object *wanted;
  uint8_t want;
  VECTOR(struct dependency *) members; /* by thread, in the order seen */
  size_t open;                         /* patterns with it that are not settled */
};

enum why_not { WHY_POSSIBLE, WHY_ONE_THREAD, WHY_GATE, WHY_READERS, WHY_TIMED, WHY_REFUSED, WHY_ORDERED };

/* Where a dependency was seen. */
struct lock_moment {
  struct origin wanted;
  struct origin *held; /* where each member of the lockset was taken; NULL: it was not looked up */
};

struct lock_cycle {
  uint32_t length;
  uint32_t *classes; /* classes[i] wants a lock that classes[i + 1] holds */
  uint32_t *order;   /* the classes by how few threads they have: threads are chosen in this order */
  enum why_not why_not;
  struct object *culprit; /* the gate, or the lock that is only read */
  uint32_t culprit_at;    /* which member waits with a timeout */
  enum finding_verdict verdict;
  struct dependency **chosen;
  struct lock_moment *moments; /* of each chosen one */
  bool needs_writer;           /* it closes only while somebody waits to write */
  bool is_closed;              /* its verdict cannot change any more */
};

typedef VECTOR(struct lock_cycle) lock_cycle_list;

struct lock_cycles {
  struct arena *arena;
  struct model *model;
  struct dependencies *deps;
  uint32_t longest;
  VECTOR(struct lock_class) classes;
  lock_cycle_list possible, impossible;
  uint64_t impossible_count;
  bool keep_impossible;
  bool was_cut, impossible_was_cut; /* there may be more */
  bool assignments_were_cut;        /* not all choices of threads were tried */
  uint32_t entangled;               /* locks in the largest knot: cycles longer than `longest` may exist */
};

/* All cycles of at most `longest` locks, shortest first, judged by what needs no clocks. */
void lock_cycles_find(struct lock_cycles *cycles);
/* Replays the trace again to know when the candidates' dependencies were seen, and gives each its verdict. */
void lock_cycles_judge(struct lock_cycles *cycles);
/* The lock that class i of the cycle wants and the next one holds. */
struct object *lock_cycle_lock(const struct lock_cycles *cycles, const struct lock_cycle *cycle, uint32_t i);

#endif
