/* SPDX-License-Identifier: MIT
 *
 * Persistent vector clocks (see clock.h). A node of level 0 holds the numbers of 16 threads, one of level n
 * holds 16 nodes of level n - 1. The root has the least level that holds its threads. One thread per pool.
 */
#include "clock.h"
#include <string.h>

#define FAN 16u

struct clock {
  uint32_t references, level;
  union {
    uint32_t times[FAN];
    struct clock *children[FAN];
    struct clock *spare;
  };
};

void clocks_init(struct clocks *pool, struct arena *arena) { *pool = (struct clocks){.arena = arena}; }

static size_t node_size(uint32_t level) {
  return offsetof(struct clock, times) + (level ? FAN * sizeof(struct clock *) : FAN * sizeof(uint32_t));
}

static struct clock *node_new(struct clocks *pool, uint32_t level) {
  struct clock **spare = &pool->spare[level > 0], *node = *spare;
  if (node)
    *spare = node->spare;
  else
    node = arena_alloc(pool->arena, node_size(level));
  memset(node, 0, node_size(level));
  node->references = 1;
  node->level = level;
  return node;
}

struct clock *clock_keep(struct clock *clock) {
  if (clock)
    clock->references++;
  return clock;
}

void clock_drop(struct clocks *pool, struct clock *clock) {
  if (!clock || --clock->references)
    return;
  for (unsigned i = 0; clock->level && i < FAN; i++)
    clock_drop(pool, clock->children[i]); /* as deep as the tree: at most 8 */
  struct clock **spare = &pool->spare[clock->level > 0];
  clock->spare = *spare;
  *spare = clock;
}

static bool level_holds(uint32_t level, uint32_t thread) { return (uint64_t)thread >> 4 * (level + 1) == 0; }

static unsigned branch(uint32_t level, uint32_t thread) { return thread >> 4 * level & (FAN - 1); }

uint32_t clock_get(const struct clock *clock, uint32_t thread) {
  if (!clock || !level_holds(clock->level, thread))
    return 0;
  while (clock && clock->level)
    clock = clock->children[branch(clock->level, thread)];
  return clock ? clock->times[branch(0, thread)] : 0;
}

static struct clock *copy_of(struct clocks *pool, const struct clock *node, uint32_t level) {
  struct clock *copy = node_new(pool, level);
  if (!node)
    return copy;
  memcpy(copy->children, node->children, node_size(level) - offsetof(struct clock, times));
  for (unsigned i = 0; level && i < FAN; i++)
    clock_keep(copy->children[i]);
  return copy;
}

/* A root of at least `level` with the same numbers. */
static struct clock *lifted(struct clocks *pool, struct clock *clock, uint32_t level) {
  clock_keep(clock);
  while (clock && clock->level < level) {
    struct clock *root = node_new(pool, clock->level + 1);
    root->children[0] = clock;
    clock = root;
  }
  return clock;
}

static struct clock *set_at(struct clocks *pool, const struct clock *node, uint32_t level, uint32_t thread,
                            uint32_t time) {
  struct clock *copy = copy_of(pool, node, level);
  unsigned i = branch(level, thread);
  if (!level) {
    copy->times[i] = time;
    return copy;
  }
  struct clock *child = copy->children[i];
  copy->children[i] = set_at(pool, child, level - 1, thread, time);
  clock_drop(pool, child);
  return copy;
}

struct clock *clock_set(struct clocks *pool, struct clock *clock, uint32_t thread, uint32_t time) {
  if (clock_get(clock, thread) == time)
    return clock_keep(clock);
  uint32_t level = clock ? clock->level : 0;
  while (!level_holds(level, thread))
    level++;
  struct clock *root = lifted(pool, clock, level), *result = set_at(pool, root, level, thread, time);
  clock_drop(pool, root);
  return result;
}

static struct clock *join_at(struct clocks *pool, struct clock *a, struct clock *b);

static struct clock *join_leaves(struct clocks *pool, struct clock *a, struct clock *b) {
  uint32_t times[FAN];
  bool is_a = true, is_b = true;
  for (unsigned i = 0; i < FAN; i++) {
    times[i] = a->times[i] > b->times[i] ? a->times[i] : b->times[i];
    is_a &= times[i] == a->times[i];
    is_b &= times[i] == b->times[i];
  }
  if (is_a || is_b)
    return clock_keep(is_a ? a : b);
  struct clock *node = node_new(pool, 0);
  memcpy(node->times, times, sizeof times);
  return node;
}

static struct clock *join_inner(struct clocks *pool, struct clock *a, struct clock *b) {
  struct clock *node = node_new(pool, a->level);
  bool is_a = true, is_b = true;
  for (unsigned i = 0; i < FAN; i++) {
    node->children[i] = join_at(pool, a->children[i], b->children[i]);
    is_a &= node->children[i] == a->children[i];
    is_b &= node->children[i] == b->children[i];
  }
  if (!is_a && !is_b)
    return node;
  clock_drop(pool, node);
  return clock_keep(is_a ? a : b);
}

/* Two nodes of one level, or NULL. */
static struct clock *join_at(struct clocks *pool, struct clock *a, struct clock *b) {
  if (a == b || !b)
    return clock_keep(a);
  if (!a)
    return clock_keep(b);
  return a->level ? join_inner(pool, a, b) : join_leaves(pool, a, b);
}

struct clock *clock_join(struct clocks *pool, struct clock *a, struct clock *b) {
  if (a == b || !b)
    return clock_keep(a);
  if (!a)
    return clock_keep(b);
  struct clock *left = lifted(pool, a, b->level), *right = lifted(pool, b, a->level);
  struct clock *result = join_at(pool, left, right);
  clock_drop(pool, left);
  clock_drop(pool, right);
  return result;
}

/* A root of a lower level than the other stands for its branch 0. */
bool clock_is_before(const struct clock *a, const struct clock *b) {
  if (a == b || !a)
    return true;
  uint32_t level = a->level;
  if (b && b->level > level) { /* all of a lies in b's branch 0 */
    while (b && b->level > level)
      b = b->children[0];
    return clock_is_before(a, b);
  }
  for (unsigned i = 0; i < FAN; i++) {
    if (!level) {
      if (a->times[i] > (b ? b->times[i] : 0))
        return false;
      continue;
    }
    const struct clock *other = !b ? NULL : b->level == level ? b->children[i] : i ? NULL : b;
    if (!clock_is_before(a->children[i], other))
      return false;
  }
  return true;
}
