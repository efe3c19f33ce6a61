/* SPDX-License-Identifier: MIT
 *
 * From a call site to the id of its stack, fast when the stack was seen before. One cache per thread, read by whoever
 * has the thread's turn.
 *
 * An entry keeps the addresses at which the return addresses of a stack lay. The same site with the same canonical
 * frame address has the same stack if all these slots still hold the same return addresses: slot 0 is live, since the
 * call is; and if slot i holds the return address into a frame at the same place as before, that frame is live and its
 * layout is what it was, so the next slot is where it was. (A frame of variable size could move it; then the slot's
 * content differs, or is stale memory that must by chance hold the very return address that was there.) A check costs a
 * comparison per frame; unwinding costs a hundred times that.
 *
 * In a process that runs Python the same C stack stands for many: its entries are under a site that none is, so that
 * the quick way does not find them.
 */
#ifndef SNARLI_STACK_CACHE_H
#define SNARLI_STACK_CACHE_H

#include "recorder_state.h"

enum { CACHE_BUCKETS = 1024, CACHE_ARENA = 1024 * 1024 };

struct cache_entry {
  uint64_t cfa, pc;
  uint32_t next; /* in the bucket: offset + 1, 0 at the end */
  uint32_t stack;
  uint16_t count;
  bool is_cut, runs_python;
  struct unwound_frame callers[]; /* of the site's frame, outwards */
};

struct stack_cache {
  uint32_t used;                 /* bytes of the arena */
  uint32_t heads[CACHE_BUCKETS]; /* offset of the entry + 1, 0: none */
  uint32_t walks;
  struct unwound_stack walked[2]; /* the last walks in turn */
  _Alignas(16) char arena[CACHE_ARENA];
};

static inline uint32_t cache_bucket(struct snarli_site site) {
  uint64_t x = ((uint64_t)(uintptr_t)site.cfa >> 3) * 0x9e3779b97f4a7c15ull ^
               (uint64_t)(uintptr_t)site.pc * 0xc2b2ae3d27d4eb4full;
  return (uint32_t)(x >> 40) % CACHE_BUCKETS;
}

static inline bool cache_entry_holds(const struct cache_entry *entry, struct snarli_site site) {
  if (entry->cfa != (uint64_t)(uintptr_t)site.cfa || entry->pc != (uint64_t)(uintptr_t)site.pc)
    return false;
  const struct unwound_frame *end = entry->callers + entry->count;
  for (const struct unwound_frame *caller = entry->callers; caller < end; caller++)
    if (*caller->slot != caller->pc)
      return false;
  return true;
}

/* Frames are aligned, so this is nobody's site. */
static inline struct snarli_site cache_site_of_python(struct snarli_site site) {
  return (struct snarli_site){(const char *)site.cfa + 1, site.pc};
}

/* What is known of the stack of `site`, NULL: nothing. Different callers may reach one site with the same frame
 * address, so a bucket has many entries for it. */
static inline const struct cache_entry *cache_find(const struct stack_cache *cache, struct snarli_site site) {
  for (uint32_t place = cache->heads[cache_bucket(site)]; place;) {
    const struct cache_entry *entry = (const struct cache_entry *)(cache->arena + place - 1);
    if (cache_entry_holds(entry, site))
      return entry;
    place = entry->next;
  }
  return NULL;
}

#endif
