/* SPDX-License-Identifier: MIT
 *
 * Interned sets of held locks (Savage et al. 1997, "Eraser", 3.2): equal sets are one object, so that sets compare by
 * address and each is stored once. A member is a lock's number times two, plus one when it is held for writing; two
 * sets *conflict* when a common lock is held for writing in one of them. Sets are counted and go when nobody keeps
 * them. One thread per table.
 */
#ifndef SNARL_ALGO_LOCKSET_H
#define SNARL_ALGO_LOCKSET_H

#include "arena.h"
#include <stdbool.h>

struct lockset {
  uint32_t id; /* unique among the sets that live */
  uint32_t references;
  uint64_t hash;
  struct lockset *next; /* in its bucket */
  uint32_t count;
  uint32_t members[]; /* ascending */
};

struct locksets {
  struct arena *arena;
  struct lockset **buckets;
  size_t count, room;
  VECTOR(uint32_t) free_ids;
  uint32_t ids;
};

static inline uint32_t lockset_member(uint32_t lock, bool is_write) { return lock * 2 + is_write; }
static inline uint32_t lockset_lock(uint32_t member) { return member / 2; }

void locksets_init(struct locksets *sets, struct arena *arena);
/* The set of these members, which are sorted in place; one more reference. */
struct lockset *lockset_get(struct locksets *sets, uint32_t *members, uint32_t count);
void lockset_put(struct locksets *sets, struct lockset *set); /* one reference less */
/* How `lock` is held: 0 not at all, 1 for reading, 2 for writing. */
int lockset_holds(const struct lockset *set, uint32_t lock);
/* The lowest lock that keeps the two sets apart: held by both, in one of them for writing. UINT32_MAX: none. */
uint32_t lockset_conflict(const struct lockset *a, const struct lockset *b);

#endif
