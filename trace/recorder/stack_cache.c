/* SPDX-License-Identifier: MIT
 *
 * From a call site to the id of its stack, fast when the stack was seen before. One cache per thread; a signal handler
 * that interrupts its use gets a one-frame stack instead of touching it.
 *
 * An entry keeps the addresses at which the return addresses of a stack lay. The same site with the same canonical
 * frame address has the same stack if all these slots still hold the same return addresses: slot 0 is live, since the
 * call is; and if slot i holds the return address into a frame at the same place as before, that frame is live and its
 * layout is what it was, so the next slot is where it was. (A frame of variable size could move it; then the slot's
 * content differs, or is stale memory that must by chance hold the very return address that was there.) A check costs a
 * comparison per frame; unwinding costs a hundred times that.
 */
#include "recorder_state.h"
#include "sys.h"

enum { BUCKETS = 1024, ARENA = 192 * 1024, FRAMES = 512 };

struct entry {
  uint64_t cfa, pc;
  uint32_t stack;
  uint32_t count;
  struct slot_check {
    uint64_t pc;
    const uint64_t *slot;
  } checks[];
};

struct stack_cache {
  uint32_t used;           /* bytes of the arena */
  uint32_t flushes;        /* how often it was emptied: an entry read across a flush is not trusted */
  uint32_t heads[BUCKETS]; /* offset of the entry + 1, 0: none */
  struct unwound_frame frames[FRAMES];
  _Alignas(16) char arena[ARENA];
};

static struct stack_cache *cache_get(struct recorder_thread *thread) {
  if (!thread->cache)
    thread->cache = memory_new(sizeof *thread->cache, false);
  return thread->cache;
}

static inline uint32_t bucket_of(struct snarli_site site) {
  uint64_t x = ((uint64_t)(uintptr_t)site.cfa >> 3) * 0x9e3779b97f4a7c15ull ^
               (uint64_t)(uintptr_t)site.pc * 0xc2b2ae3d27d4eb4full;
  return (uint32_t)(x >> 40) % BUCKETS;
}

static inline bool entry_holds(const struct entry *entry, struct snarli_site site) {
  if (entry->cfa != (uint64_t)(uintptr_t)site.cfa || entry->pc != (uint64_t)(uintptr_t)site.pc)
    return false;
  for (uint32_t i = 0; i < entry->count; i++)
    if (*entry->checks[i].slot != entry->checks[i].pc)
      return false;
  return true;
}

static void cache_flush(struct stack_cache *cache) {
  cache->flushes++;
  cache->used = 0;
  for (unsigned i = 0; i < BUCKETS; i++)
    cache->heads[i] = 0;
}

static void cache_insert(struct stack_cache *cache, struct snarli_site site, const struct unwound_frame *frames,
                         size_t count, uint32_t stack) {
  size_t size = sizeof(struct entry) + (count - 1) * sizeof(struct slot_check);
  if (size > ARENA)
    return;
  if (cache->used + size > ARENA)
    cache_flush(cache);
  struct entry *entry = (struct entry *)(cache->arena + cache->used);
  entry->cfa = (uint64_t)(uintptr_t)site.cfa;
  entry->pc = (uint64_t)(uintptr_t)site.pc;
  entry->stack = stack;
  entry->count = (uint32_t)count - 1;
  for (size_t i = 1; i < count; i++)
    entry->checks[i - 1] = (struct slot_check){frames[i].pc, frames[i].slot};
  cache->heads[bucket_of(site)] = cache->used + 1;
  cache->used += (uint32_t)((size + 15) / 16 * 16);
}

static __attribute__((noinline)) uint32_t stack_walk(struct recorder_thread *thread, struct stack_cache *cache,
                                                     struct snarli_site site) {
  uint64_t saved;
  sys_block_signals(&saved);
  recorder_suspended++; /* libunwind takes locks; they are not the program's */
  bool is_cut = false;
  modules_update(thread);
  size_t count = unwind_walk(thread, site, cache->frames, FRAMES, &is_cut);
  uint32_t stack = is_cut ? stack_node(thread, 0, SNARLI_PC_CUT) : 0;
  for (size_t i = count; i > 0; i--)
    stack = stack_node(thread, stack, cache->frames[i - 1].pc);
  bool is_checkable = count > 0;
  for (size_t i = 1; i < count; i++)
    is_checkable = is_checkable && cache->frames[i].slot;
  if (is_checkable)
    cache_insert(cache, site, cache->frames, count, stack);
  recorder_suspended--;
  sys_restore_signals(&saved);
  return stack;
}

static uint32_t stack_cached(struct recorder_thread *thread, struct snarli_site site) {
  struct stack_cache *cache = cache_get(thread);
  if (__builtin_expect(!cache, 0))
    return stack_node(thread, 0, (uint64_t)(uintptr_t)site.pc);
  uint32_t flushes = cache->flushes;
  uint32_t head = cache->heads[bucket_of(site)];
  const struct entry *entry = (const struct entry *)(cache->arena + head - 1);
  if (head && entry_holds(entry, site)) {
    uint32_t stack = entry->stack;
    if (__builtin_expect(__atomic_load_n(&cache->flushes, __ATOMIC_RELAXED) == flushes, 1))
      return stack;
  }
  return stack_walk(thread, cache, site);
}

uint32_t stack_of_site(struct recorder_thread *thread, struct snarli_site site) {
  uint64_t cfa = (uint64_t)(uintptr_t)site.cfa;
  /* Busy with an older frame: this is a handler that interrupted it. With a younger one: that handler was left by
   * longjmp. */
  if (__builtin_expect(thread->busy && thread->busy >= cfa, 0))
    return stack_node(thread, 0, (uint64_t)(uintptr_t)site.pc);
  thread->busy = cfa;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  uint32_t stack = stack_cached(thread, site);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  thread->busy = 0;
  return stack;
}
