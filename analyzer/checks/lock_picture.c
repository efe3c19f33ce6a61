/* SPDX-License-Identifier: MIT
 *
 * The lock-order picture: a node per lock, or per place where locks are created when there are many; an edge where one
 * was held when another was taken. By default only what takes part in a finding. One thread per analysis.
 */
#include "lock_order.h"
#include <string.h>

/* With more locks than this, those created at one place are one node: first those of no finding, with as many in
 * findings these too. */
#define NODES_UNFOLDED 60u

typedef VECTOR(struct picture_node) node_list;
typedef VECTOR(struct picture_edge) edge_list;

struct painting {
  struct lock_order *order;
  struct describe *describe;
  bool folds;
  node_list nodes;
  edge_list edges;
  struct map locks, places, pairs; /* serial -> node; hash of a place -> node; from * 2^32 + to -> edge */
  struct map counted;              /* pairs of serials that are drawn */
};

static uint64_t hash_text(const char *text) {
  uint64_t hash = 14695981039346656037ull;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 1099511628211ull;
  return hash;
}

static uint32_t node_new(struct painting *painting, const char *label, const char *detail) {
  vector_push(painting->describe->arena, &painting->nodes) =
      (struct picture_node){.shape = SHAPE_LOCK, .label = label, .detail = detail, .folded = 1};
  return (uint32_t)painting->nodes.count - 1;
}

static uint32_t node_of(struct painting *painting, struct object *lock) {
  struct arena *arena = painting->describe->arena;
  uint32_t node = map_get(&painting->locks, lock->serial);
  if (node != MAP_NONE)
    return node;
  const char *place = describe_place(painting->describe, lock->created);
  const char *kind = object_word(lock, describe_site(describe_stack(painting->describe, lock->created)));
  if (painting->folds && !lock->name && *place) {
    const char *text = arena_print(arena, "%s %s", kind, place);
    node = map_get(&painting->places, hash_text(text));
    if (node == MAP_NONE) {
      node = node_new(painting, text, "");
      map_put(arena, &painting->places, hash_text(text), node);
    } else {
      painting->nodes.items[node].folded++;
    }
  } else {
    node = node_new(painting, describe_object(painting->describe, lock),
                    *place ? arena_print(arena, "%s created at %s", kind, place) : kind);
  }
  map_put(arena, &painting->locks, lock->serial, node);
  return node;
}

struct stroke {
  struct object *from, *to;
  struct thread *thread;
  struct origin origin;
  enum picture_emphasis emphasis;
  int32_t cycle;
  uint64_t count;
};

static void paint(struct painting *painting, struct stroke stroke) {
  struct arena *arena = painting->describe->arena;
  uint32_t from = node_of(painting, stroke.from), to = node_of(painting, stroke.to);
  uint64_t key = (uint64_t)from << 32 | to;
  uint32_t place = map_get(&painting->pairs, key);
  map_put(arena, &painting->counted, (uint64_t)stroke.from->serial << 32 | stroke.to->serial, 1);
  if (place == MAP_NONE) {
    place = (uint32_t)painting->edges.count;
    map_put(arena, &painting->pairs, key, place);
    const char *where = describe_place(painting->describe, stroke.origin);
    const char *label =
        arena_print(arena, "%s%s%s", describe_thread(painting->describe, stroke.thread), *where ? " " : "", where);
    vector_push(arena, &painting->edges) =
        (struct picture_edge){.from = from, .to = to, .relation = RELATION_ORDER, .label = label, .detail = label};
  }
  struct picture_edge *edge = &painting->edges.items[place];
  edge->count += stroke.count;
  if (stroke.emphasis == EMPHASIS_NONE || edge->emphasis == EMPHASIS_CYCLE)
    return;
  if (stroke.emphasis == EMPHASIS_GATE) { /* it points at the cycle, whose locks have their own */
    edge->emphasis = edge->emphasis == EMPHASIS_NONE ? EMPHASIS_GATE : edge->emphasis;
    return;
  }
  edge->emphasis = stroke.emphasis;
  edge->cycle = stroke.cycle;
  uint32_t ends[] = {from, to};
  for (size_t i = 0; i < 2; i++) {
    struct picture_node *node = &painting->nodes.items[ends[i]];
    if (node->emphasis == EMPHASIS_CYCLE)
      continue;
    node->emphasis = stroke.emphasis;
    node->cycle = stroke.cycle;
  }
}

static void paint_cycle(struct painting *painting, const struct lock_cycle *cycle, enum picture_emphasis emphasis,
                        int32_t number) {
  const struct lock_cycles *cycles = painting->order->cycles;
  for (uint32_t i = 0; i < cycle->length; i++)
    paint(painting, (struct stroke){.from = lock_cycle_lock(cycles, cycle, (i + cycle->length - 1) % cycle->length),
                                    .to = lock_cycle_lock(cycles, cycle, i),
                                    .thread = cycle->chosen[i]->thread,
                                    .origin = lock_cycle_wanted(cycle, i),
                                    .emphasis = emphasis,
                                    .cycle = number,
                                    .count = cycle->chosen[i]->count});
}

/* A gate is held where the cycle's locks are taken. */
static void paint_gate(struct painting *painting, const struct lock_cycle *cycle) {
  if (cycle->why_not != WHY_GATE)
    return;
  for (uint32_t i = 0; i < cycle->length; i++)
    if (lockset_holds(cycle->chosen[i]->held, cycle->culprit->serial))
      paint(painting, (struct stroke){.from = cycle->culprit,
                                      .to = lock_cycle_lock(painting->order->cycles, cycle, i),
                                      .thread = cycle->chosen[i]->thread,
                                      .origin = lock_cycle_wanted(cycle, i),
                                      .emphasis = EMPHASIS_GATE,
                                      .count = cycle->chosen[i]->count});
  uint32_t node = node_of(painting, cycle->culprit); /* first: it may move the items */
  struct picture_node *gate = &painting->nodes.items[node];
  if (gate->emphasis != EMPHASIS_CYCLE)
    gate->emphasis = EMPHASIS_GATE;
}

/* Everything else that was seen: drawn, or counted as hidden. */
static void paint_rest(struct painting *painting, bool show_all, struct picture *picture) {
  struct arena *arena = painting->describe->arena;
  const struct dependencies *deps = painting->order->cycles->deps;
  struct map locks = {0};
  for (size_t i = 0; i < deps->all.count; i++) {
    const struct dependency *dep = deps->all.items[i];
    for (uint32_t m = 0; dep && m < dep->held->count; m++) {
      uint64_t key = (uint64_t)dep->objects[m]->serial << 32 | dep->wanted->serial;
      if (show_all) {
        paint(painting, (struct stroke){.from = dep->objects[m],
                                        .to = dep->wanted,
                                        .thread = dep->thread,
                                        .origin = dep->first,
                                        .count = dep->count});
        continue;
      }
      picture->hidden_edges += map_get(&painting->counted, key) == MAP_NONE;
      map_put(arena, &painting->counted, key, 1);
      const struct object *ends[] = {dep->objects[m], dep->wanted};
      for (size_t e = 0; e < 2; e++) {
        picture->hidden_nodes +=
            map_get(&painting->locks, ends[e]->serial) == MAP_NONE && map_get(&locks, ends[e]->serial) == MAP_NONE;
        map_put(arena, &locks, ends[e]->serial, 1);
      }
    }
  }
  map_free(arena, &locks);
}

static size_t count_locks(const struct lock_order *order) {
  struct map seen = {0};
  for (size_t i = 0; i < order->cycles->possible.count; i++)
    for (uint32_t c = 0; c < order->cycles->possible.items[i].length; c++)
      map_put(order->describe->arena, &seen,
              lock_cycle_lock(order->cycles, &order->cycles->possible.items[i], c)->serial, 1);
  size_t count = seen.count;
  map_free(order->describe->arena, &seen);
  return count;
}

struct picture lock_order_picture(struct lock_order *order, bool show_all) {
  struct painting painting = {.order = order, .describe = order->describe};
  struct picture picture = {.kind = PICTURE_LOCK_ORDER, .title = "Which lock was held when which was taken"};
  painting.folds = count_locks(order) > NODES_UNFOLDED;
  for (size_t i = 0; i < order->cycles->possible.count; i++)
    paint_cycle(&painting, &order->cycles->possible.items[i], EMPHASIS_CYCLE,
                order->groups.items[order->group_of.items[i]].number);
  for (size_t i = 0; i < order->impossible.count; i++) {
    paint_cycle(&painting, order->impossible.items[i].best, EMPHASIS_IMPOSSIBLE, 0);
    paint_gate(&painting, order->impossible.items[i].best);
  }
  painting.folds |= order->cycles->deps->lists.count > NODES_UNFOLDED;
  paint_rest(&painting, show_all, &picture);
  picture.nodes = painting.nodes.items;
  picture.node_count = painting.nodes.count;
  picture.edges = painting.edges.items;
  picture.edge_count = painting.edges.count;
  return picture;
}
