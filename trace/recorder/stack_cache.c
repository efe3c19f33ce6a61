/* SPDX-License-Identifier: MIT
 *
 * Filling the cache of stacks: a call site that it does not know is walked and entered. Entered by the owning thread
 * and its signal handlers; one that interrupts its use gets a one-frame stack instead of touching it.
 */
#include "stack_cache.h"
#include "sys.h"
#include "turn.h"

static struct stack_cache *cache_get(struct recorder_thread *thread) {
  if (!thread->cache)
    thread->cache = memory_new(sizeof *thread->cache, false);
  return thread->cache;
}

static void cache_flush(struct stack_cache *cache) {
  cache->used = 0;
  for (unsigned i = 0; i < CACHE_BUCKETS; i++)
    cache->heads[i] = 0;
}

static void cache_insert(struct stack_cache *cache, struct snarli_site site, const struct unwound_frame *frames,
                         size_t count, uint32_t stack) {
  size_t size = sizeof(struct cache_entry) + (count - 1) * sizeof(struct slot_check);
  if (size > CACHE_ARENA)
    return;
  if (cache->used + size > CACHE_ARENA)
    cache_flush(cache);
  struct cache_entry *entry = (struct cache_entry *)(cache->arena + cache->used);
  entry->cfa = (uint64_t)(uintptr_t)site.cfa;
  entry->pc = (uint64_t)(uintptr_t)site.pc;
  entry->next = cache->heads[cache_bucket(site)];
  entry->stack = stack;
  entry->count = count - 1;
  for (size_t i = 1; i < count; i++)
    entry->checks[i - 1] = (struct slot_check){frames[i].pc, frames[i].slot};
  cache->heads[cache_bucket(site)] = cache->used + 1;
  cache->used += (uint32_t)((size + 15) / 16 * 16);
}

static __attribute__((noinline)) uint32_t stack_walk(struct recorder_thread *thread, struct stack_cache *cache,
                                                     struct snarli_site site) {
  uint64_t saved;
  sys_block_signals(&saved);
  recorder_suspended++; /* libunwind takes locks; they are not the program's */
  bool is_cut = false;
  modules_update(thread);
  size_t count = unwind_walk(thread, site, cache->frames, CACHE_FRAMES, &is_cut);
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

uint32_t stack_of_pc(struct recorder_thread *thread, const void *pc) {
  uint64_t saved;
  sys_block_signals(&saved);
  uint32_t stack = stack_node(thread, 0, (uint64_t)(uintptr_t)pc);
  sys_restore_signals(&saved);
  return stack;
}

uint32_t stack_of_site(struct recorder_thread *thread, struct snarli_site site) {
  turn_notice(thread);
  if (turn_is_of_older(thread, site.cfa))
    return stack_of_pc(thread, site.pc);
  if (thread->turn != TURN_FREE)
    thread->cache = NULL; /* taken over: whoever had the turn may yet read the old one */
  struct stack_cache *cache = cache_get(thread);
  if (!cache)
    return stack_of_pc(thread, site.pc);
  thread->turn = (uint64_t)(uintptr_t)site.cfa;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  uint32_t stack = cache_find(cache, site);
  if (!stack)
    stack = stack_walk(thread, cache, site);
  turn_give(thread);
  return stack;
}
