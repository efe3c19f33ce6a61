/* SPDX-License-Identifier: MIT
 *
 * Interned sets of held locks (see lockset.h). One thread per table.
 */
#include "lockset.h"
#include "map.h"
#include <string.h>

void locksets_init(struct locksets *sets, struct arena *arena) { *sets = (struct locksets){.arena = arena}; }

/* Held sets are short: insertion sort. */
static void sort(uint32_t *members, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    uint32_t member = members[i], j = i;
    for (; j && members[j - 1] > member; j--)
      members[j] = members[j - 1];
    members[j] = member;
  }
}

static uint64_t hash_of(const uint32_t *members, uint32_t count) {
  uint64_t hash = count;
  for (uint32_t i = 0; i < count; i++)
    hash = map_mix(hash ^ members[i]) + i;
  return hash;
}

static void grow(struct locksets *sets) {
  size_t room = sets->room ? sets->room * 2 : 64;
  struct lockset **buckets = arena_resize(sets->arena, NULL, room * sizeof(struct lockset *));
  memset(buckets, 0, room * sizeof(struct lockset *));
  for (size_t i = 0; i < sets->room; i++)
    for (struct lockset *set = sets->buckets[i], *next; set; set = next) {
      next = set->next;
      set->next = buckets[set->hash & (room - 1)];
      buckets[set->hash & (room - 1)] = set;
    }
  arena_release(sets->arena, sets->buckets);
  sets->buckets = buckets;
  sets->room = room;
}

static struct lockset *add(struct locksets *sets, const uint32_t *members, uint32_t count, uint64_t hash) {
  if (sets->count >= sets->room)
    grow(sets);
  struct lockset *set = arena_resize(sets->arena, NULL, sizeof *set + count * sizeof *members);
  *set = (struct lockset){.references = 1, .hash = hash, .count = count};
  set->id = sets->free_ids.count ? sets->free_ids.items[--sets->free_ids.count] : sets->ids++;
  memcpy(set->members, members, count * sizeof *members);
  set->next = sets->buckets[hash & (sets->room - 1)];
  sets->buckets[hash & (sets->room - 1)] = set;
  sets->count++;
  return set;
}

struct lockset *lockset_get(struct locksets *sets, uint32_t *members, uint32_t count) {
  sort(members, count);
  uint64_t hash = hash_of(members, count);
  struct lockset *set = sets->room ? sets->buckets[hash & (sets->room - 1)] : NULL;
  for (; set; set = set->next)
    if (set->hash == hash && set->count == count && !memcmp(set->members, members, count * sizeof *members)) {
      set->references++;
      return set;
    }
  return add(sets, members, count, hash);
}

void lockset_put(struct locksets *sets, struct lockset *set) {
  if (--set->references)
    return;
  struct lockset **link = &sets->buckets[set->hash & (sets->room - 1)];
  while (*link != set)
    link = &(*link)->next;
  *link = set->next;
  sets->count--;
  vector_push(sets->arena, &sets->free_ids) = set->id;
  arena_release(sets->arena, set);
}

int lockset_holds(const struct lockset *set, uint32_t lock) {
  int mode = 0;
  for (uint32_t i = 0; i < set->count; i++)
    if (lockset_lock(set->members[i]) == lock)
      mode = 1 + (int)(set->members[i] & 1);
  return mode;
}

uint32_t lockset_conflict(const struct lockset *a, const struct lockset *b) {
  for (uint32_t i = 0, j = 0; i < a->count && j < b->count;) {
    uint32_t left = a->members[i], right = b->members[j];
    if (lockset_lock(left) == lockset_lock(right) && ((left | right) & 1))
      return lockset_lock(left);
    i += left <= right;
    j += right <= left;
  }
  return UINT32_MAX;
}
