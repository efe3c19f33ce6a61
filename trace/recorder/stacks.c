/* SPDX-License-Identifier: MIT
 *
 * Interning of call stacks as a tree of (parent, pc) nodes: each distinct stack once in the file. Lock-free, any
 * context.
 *
 * The table only grows: levels of doubling size, open addressing with a bounded probe. A slot is claimed by its tag (a
 * 64-bit hash of parent and pc) and usable once `id` is set. Who meets a slot that is claimed but not set, or finds no
 * room, writes a node of its own: a duplicate in the file is harmless, waiting in a signal handler is not.
 */
#include "recorder_state.h"
#include "sys.h"

struct slot {
  _Atomic uint64_t tag; /* 0: free */
  uint64_t pc;
  uint32_t parent;
  _Atomic uint32_t id; /* 0: being written */
};

enum {
  LARGE = 4 << 20
}; /* is used all over at once: in pages of 4 kilobytes, nearly each new node would bring one in */
enum { LEVELS = 12, FIRST_LEVEL_SLOTS = 1 << 12, PROBES = 4 };
static _Atomic(struct slot *) levels[LEVELS];

static size_t level_slots(unsigned level) { return (size_t)FIRST_LEVEL_SLOTS << (2 * level); }

static struct slot *level_get(unsigned level) {
  struct slot *slots = atomic_load_explicit(&levels[level], memory_order_acquire);
  if (slots)
    return slots;
  size_t size = level_slots(level) * sizeof *slots;
  struct slot *fresh = memory_new(size, false);
  if (!fresh)
    return NULL;
  if (size >= LARGE)
    (void)sys_madvise(fresh, size, MADV_HUGEPAGE);
  if (atomic_compare_exchange_strong_explicit(&levels[level], &slots, fresh, memory_order_acq_rel,
                                              memory_order_acquire))
    return fresh;
  sys_munmap(fresh, size);
  return slots;
}

void stack_nodes_forget(void) {
  for (unsigned level = 0; level < LEVELS; level++) {
    struct slot *slots = atomic_exchange_explicit(&levels[level], NULL, memory_order_relaxed);
    if (slots)
      sys_munmap(slots, level_slots(level) * sizeof *slots);
  }
}

static uint64_t tag_of(uint32_t parent, uint64_t pc) {
  uint64_t x = pc * 0x9e3779b97f4a7c15ull ^ (uint64_t)parent * 0xc2b2ae3d27d4eb4full;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9ull;
  x ^= x >> 32;
  return x ? x : 1;
}

static uint32_t node_write(struct recorder_thread *thread, uint32_t parent, uint64_t pc) {
  struct snarli_stack_node *node = window_rows(thread, SNARLI_W_STACKS, 1);
  if (!node)
    return 0;
  node->pc = pc;
  node->parent = parent;
  /* Pairs with the reader's load: a node that is used is whole. */
  __atomic_store_n(&node->used, 1, __ATOMIC_RELEASE);
  return window_row_id(&thread->stacks, node);
}

/* The id in `slot` if it is this node's, else 0. */
static uint32_t slot_match(struct slot *slot, uint32_t parent, uint64_t pc) {
  uint32_t id = atomic_load_explicit(&slot->id, memory_order_acquire);
  return id && slot->pc == pc && slot->parent == parent ? id : 0;
}

/* Looks through one level; the node's id if found, else 0 with *free_slot the first free slot of the probe, if any. */
static uint32_t level_find(struct slot *slots, size_t mask, uint64_t tag, uint32_t parent, uint64_t pc,
                           struct slot **free_slot) {
  *free_slot = NULL;
  for (size_t probe = 0; probe < PROBES; probe++) {
    struct slot *slot = &slots[(tag + probe) & mask];
    uint64_t found = atomic_load_explicit(&slot->tag, memory_order_relaxed);
    if (found == 0) {
      *free_slot = slot;
      return 0;
    }
    uint32_t id = found == tag ? slot_match(slot, parent, pc) : 0;
    if (id)
      return id;
  }
  return 0;
}

/* A new node is looked for in every level, each a cache miss when there are many nodes: let them come together. */
static void levels_prefetch(uint64_t tag) {
  for (unsigned level = 0; level < LEVELS; level++) {
    struct slot *slots = atomic_load_explicit(&levels[level], memory_order_relaxed);
    if (!slots)
      return;
    __builtin_prefetch(&slots[tag & (level_slots(level) - 1)]);
  }
}

uint32_t stack_node(struct recorder_thread *thread, uint32_t parent, uint64_t pc) {
  uint64_t tag = tag_of(parent, pc);
  levels_prefetch(tag);
  struct slot *free_slot = NULL;
  for (unsigned level = 0; level < LEVELS && !free_slot; level++) {
    struct slot *slots = level_get(level);
    if (!slots)
      break;
    uint32_t id = level_find(slots, level_slots(level) - 1, tag, parent, pc, &free_slot);
    if (id)
      return id;
  }
  uint64_t none = 0;
  bool is_ours = free_slot && atomic_compare_exchange_strong_explicit(&free_slot->tag, &none, tag, memory_order_relaxed,
                                                                      memory_order_relaxed);
  uint32_t id = node_write(thread, parent, pc);
  if (is_ours) {
    free_slot->pc = pc;
    free_slot->parent = parent;
    /* Release pairs with the acquire in slot_match: publishes pc and parent. */
    atomic_store_explicit(&free_slot->id, id, memory_order_release);
  }
  return id;
}
