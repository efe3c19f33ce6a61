/* SPDX-License-Identifier: MIT
 *
 * Filling the cache of stacks: a call site that it does not know is walked and entered. Entered by the owning thread
 * and its signal handlers; one that interrupts its use gets a one-frame stack instead of touching it.
 */
#include "stack_cache.h"
#include "python/python.h"
#include "sys.h"
#include "turn.h"
#include <string.h>

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

static void cache_insert(struct stack_cache *cache, struct snarli_site site, const struct c_stack *c) {
  size_t size = sizeof(struct cache_entry) + c->count * sizeof *c->callers;
  if (size > CACHE_ARENA)
    return;
  if (cache->used + size > CACHE_ARENA)
    cache_flush(cache);
  struct cache_entry *entry = (struct cache_entry *)(cache->arena + cache->used);
  entry->cfa = (uint64_t)(uintptr_t)site.cfa;
  entry->pc = c->pc;
  entry->next = cache->heads[cache_bucket(site)];
  entry->stack = c->id;
  entry->count = (uint16_t)c->count;
  entry->is_cut = c->is_cut;
  entry->runs_python = c->runs_python;
  memcpy(entry->callers, c->callers, c->count * sizeof *c->callers);
  cache->heads[cache_bucket(site)] = cache->used + 1;
  cache->used += (uint32_t)((size + 15) / 16 * 16);
}

static bool all_have_slots(const struct unwound_frame *frames, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!frames[i].slot)
      return false;
  return true;
}

/* Of the outer part that was there before, the ids are known. */
static uint32_t stack_intern(struct recorder_thread *thread, struct unwound_stack *stack) {
  uint32_t id = stack->is_cut ? stack_node(thread, 0, SNARLI_PC_CUT) : 0;
  if (stack->shared < stack->count)
    id = stack->ids[stack->shared];
  for (uint32_t i = stack->shared; i-- > 0;)
    stack->ids[i] = id = stack_node(thread, id, stack->frames[i].pc);
  return id;
}

static __attribute__((noinline)) struct c_stack stack_walk(struct recorder_thread *thread, struct stack_cache *cache,
                                                           struct snarli_site site) {
  uint64_t saved;
  sys_block_signals(&saved);
  recorder_suspended++; /* libunwind takes locks; they are not the program's */
  modules_update(thread);
  const struct unwound_stack *last = &cache->walked[cache->walks++ % 2];
  struct unwound_stack *stack = &cache->walked[cache->walks % 2];
  unwind_walk(thread, site, last, stack);
  struct c_stack c = {.id = stack_intern(thread, stack),
                      .pc = (uint64_t)(uintptr_t)site.pc,
                      .callers = stack->frames + 1,
                      .count = stack->count - 1,
                      .is_cut = stack->is_cut};
  if (all_have_slots(c.callers, c.count)) { /* and no signal handler's frame is among them */
    c.runs_python = recorder.has_python && python_runs(c.callers, c.count);
    cache_insert(cache, recorder.has_python ? cache_site_of_python(site) : site, &c);
  }
  recorder_suspended--;
  sys_restore_signals(&saved);
  return c;
}

static struct c_stack entry_stack(const struct cache_entry *entry) {
  return (struct c_stack){.id = entry->stack,
                          .pc = entry->pc,
                          .callers = entry->callers,
                          .count = entry->count,
                          .is_cut = entry->is_cut,
                          .runs_python = entry->runs_python};
}

static uint32_t stack_with_python(struct recorder_thread *thread, struct stack_cache *cache, struct snarli_site site) {
  const struct cache_entry *entry = cache_find(cache, cache_site_of_python(site));
  struct c_stack c = entry ? entry_stack(entry) : stack_walk(thread, cache, site);
  return python_stack(thread, &c);
}

static uint32_t stack_plain(struct recorder_thread *thread, struct stack_cache *cache, struct snarli_site site) {
  const struct cache_entry *entry = cache_find(cache, site);
  return entry ? entry->stack : stack_walk(thread, cache, site).id;
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
  uint32_t stack = recorder.has_python ? stack_with_python(thread, cache, site) : stack_plain(thread, cache, site);
  turn_give(thread);
  return stack;
}
