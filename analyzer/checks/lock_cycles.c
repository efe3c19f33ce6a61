/* SPDX-License-Identifier: MIT
 *
 * Finding cycles of abstract acquires (see lock_cycles.h): a graph with a node per lock and per class, an edge from
 * each lock to the classes that hold it and from each class to the lock that it wants. One thread per value.
 */
#include "lock_cycles.h"
#include "../algo/graph.h"
#include <string.h>

#define FOUND_MOST 10000u      /* possible cycles; a cut-off is disclosed */
#define LISTED_MOST 10000u     /* impossible ones */
#define STEPS_MOST 20000000ull /* edges looked at in each of the two searches */

struct object *lock_cycle_lock(const struct lock_cycles *cycles, const struct lock_cycle *cycle, uint32_t i) {
  return cycles->classes.items[cycle->classes[i]].wanted;
}

/* A try counts as a wait where the program is seen to wait when the try fails. */
static bool blocks(const struct lock_cycles *cycles, const struct dependency *dep) {
  if (!(dep->want & WANT_TRY))
    return true;
  const struct model *model = cycles->model;
  return !dep->wanted->was_tried && map_get(&model->fallback, fallback_key(model, &model->processes[dep->first.process],
                                                                           dep->first.stack)) != MAP_NONE;
}

static void classify(struct lock_cycles *cycles) {
  struct map by_key[4] = {{0}};
  for (size_t i = 0; i < cycles->deps->all.count; i++) {
    struct dependency *dep = cycles->deps->all.items[i];
    if (!dep || !blocks(cycles, dep))
      continue;
    unsigned want = dep->want & (WANT_WRITE | WANT_TIMED);
    uint64_t key = (uint64_t)dep->held->id << 32 | dep->wanted->serial;
    uint32_t place = map_get(&by_key[want], key);
    if (place == MAP_NONE) {
      place = (uint32_t)cycles->classes.count;
      vector_push(cycles->arena, &cycles->classes) =
          (struct lock_class){.held = dep->held, .wanted = dep->wanted, .want = (uint8_t)want};
      map_put(cycles->arena, &by_key[want], key, place);
    }
    vector_push(cycles->arena, &cycles->classes.items[place].members) = dep;
  }
  for (size_t i = 0; i < 4; i++)
    map_free(cycles->arena, &by_key[i]);
}

typedef VECTOR(struct graph_edge) edge_list;

static struct graph graph_of(struct lock_cycles *cycles) {
  edge_list edges = {0};
  uint32_t locks = (uint32_t)cycles->deps->lists.count;
  for (uint32_t c = 0; c < cycles->classes.count; c++) {
    const struct lock_class *class = &cycles->classes.items[c];
    vector_push(cycles->arena, &edges) =
        (struct graph_edge){locks + c, map_get(&cycles->deps->locks, class->wanted->serial)};
    for (uint32_t m = 0; m < class->held->count; m++)
      vector_push(cycles->arena, &edges) =
          (struct graph_edge){map_get(&cycles->deps->locks, lockset_lock(class->held->members[m])), locks + c};
  }
  struct graph graph = graph_build(cycles->arena, locks + (uint32_t)cycles->classes.count, edges.items, edges.count);
  vector_free(cycles->arena, &edges);
  return graph;
}

/* The wait of `waiter` ends only when `holder` goes on. Readers exclude each other only while a writer waits
 * between them, where the lock prefers writers. */
static bool excludes(const struct lock_class *waiter, const struct lock_class *holder, bool *needs_writer) {
  const struct object *lock = waiter->wanted;
  if (waiter->want & WANT_WRITE || lockset_holds(holder->held, lock->serial) == 2)
    return true;
  *needs_writer = true;
  return lock->type & SNARLI_T_PREFER_WRITER && lock->writer;
}

static bool same_only_thread(const struct lock_class *a, const struct lock_class *b) {
  return a->members.count == 1 && b->members.count == 1 &&
         dependencies_are_of_one(a->members.items[0], b->members.items[0]);
}

struct pursuit {
  struct lock_cycles *cycles;
  uint32_t locks;
};

static const struct lock_class *class_at(const struct pursuit *pursuit, uint32_t node) {
  return &pursuit->cycles->classes.items[node - pursuit->locks];
}

/* The path is lock, class, lock, class ...; a class is followed only where it can still become a pattern. */
static bool may_follow(void *context, const uint32_t *path, uint32_t length, uint32_t next) {
  const struct pursuit *pursuit = context;
  bool needs_writer = false;
  if (next < pursuit->locks)
    return true;
  const struct lock_class *class = class_at(pursuit, next);
  if (class->want & WANT_TIMED)
    return false;
  for (uint32_t i = 1; i < length; i += 2) {
    const struct lock_class *other = class_at(pursuit, path[i]);
    if (same_only_thread(class, other) || lockset_conflict(class->held, other->held) != UINT32_MAX)
      return false;
  }
  return length < 2 || excludes(class_at(pursuit, path[length - 2]), class, &needs_writer);
}

/* Distinct threads for the classes from order[i] on. A class with more threads than classes come before it always finds
 * one (Hall 1935), so that only the small ones, which come first, are ever tried again. */
static bool has_threads(const struct lock_cycles *cycles, struct lock_cycle *cycle, uint32_t i) {
  if (i == cycle->length)
    return true;
  const struct lock_class *class = &cycles->classes.items[cycle->classes[cycle->order[i]]];
  for (size_t m = 0; m < class->members.count; m++) {
    bool is_free = true;
    for (uint32_t j = 0; j < i; j++)
      is_free &= !dependencies_are_of_one(cycle->chosen[cycle->order[j]], class->members.items[m]);
    cycle->chosen[cycle->order[i]] = class->members.items[m];
    if (is_free && has_threads(cycles, cycle, i + 1))
      return true;
  }
  return false;
}

/* The kernel fails the wait that would close a circle of traditional record locks (EDEADLK). */
static bool is_refused(const struct lock_cycles *cycles, const struct lock_cycle *cycle) {
  for (uint32_t i = 0; i < cycle->length; i++) {
    const struct file *file = lock_cycle_lock(cycles, cycle, i)->file;
    if (!file || file->has_descriptions)
      return false;
  }
  return true;
}

/* Why the cycle cannot be, as far as that needs no clocks. */
static void examine(const struct lock_cycles *cycles, struct lock_cycle *cycle) {
  for (uint32_t i = 0; i < cycle->length; i++)
    cycle->chosen[i] = cycles->classes.items[cycle->classes[i]].members.items[0];
  bool one = true;
  for (uint32_t i = 1; i < cycle->length; i++)
    one &= dependencies_are_of_one(cycle->chosen[i], cycle->chosen[0]) &&
           cycles->classes.items[cycle->classes[i]].members.count == 1;
  if (one && cycles->classes.items[cycle->classes[0]].members.count == 1) {
    cycle->why_not = WHY_ONE_THREAD;
    return;
  }
  for (uint32_t i = 0; i < cycle->length; i++)
    for (uint32_t j = i + 1; j < cycle->length; j++) {
      uint32_t gate = lockset_conflict(cycles->classes.items[cycle->classes[i]].held,
                                       cycles->classes.items[cycle->classes[j]].held);
      if (gate == UINT32_MAX)
        continue;
      cycle->why_not = WHY_GATE;
      cycle->culprit = cycles->deps->lists.items[map_get(&cycles->deps->locks, gate)].object;
      return;
    }
  for (uint32_t i = 0; i < cycle->length; i++) {
    const struct lock_class *class = &cycles->classes.items[cycle->classes[i]];
    const struct lock_class *next = &cycles->classes.items[cycle->classes[(i + 1) % cycle->length]];
    if (class->want & WANT_TIMED) {
      cycle->why_not = WHY_TIMED;
      cycle->culprit_at = i;
      return;
    }
    if (excludes(class, next, &cycle->needs_writer))
      continue;
    cycle->why_not = WHY_READERS;
    cycle->culprit = class->wanted;
    return;
  }
  if (is_refused(cycles, cycle))
    cycle->why_not = WHY_REFUSED;
  else if (!has_threads(cycles, cycle, 0))
    cycle->why_not = WHY_ONE_THREAD;
}

static struct lock_cycle cycle_of(const struct pursuit *pursuit, const uint32_t *path, uint32_t length) {
  struct arena *arena = pursuit->cycles->arena;
  struct lock_cycle cycle = {.length = length / 2};
  cycle.classes = arena_resize(arena, NULL, cycle.length * sizeof *cycle.classes);
  cycle.chosen = arena_resize(arena, NULL, cycle.length * sizeof(struct dependency *));
  cycle.order = arena_resize(arena, NULL, cycle.length * sizeof *cycle.order);
  for (uint32_t i = 0; i < cycle.length; i++) {
    cycle.classes[i] = path[2 * i + 1] - pursuit->locks;
    size_t members = class_at(pursuit, path[2 * i + 1])->members.count;
    uint32_t place = i;
    for (; place && class_at(pursuit, path[2 * cycle.order[place - 1] + 1])->members.count > members; place--)
      cycle.order[place] = cycle.order[place - 1];
    cycle.order[place] = i;
  }
  return cycle;
}

static void cycle_free(struct arena *arena, struct lock_cycle *cycle) {
  arena_release(arena, cycle->classes);
  arena_release(arena, cycle->order);
  arena_release(arena, cycle->chosen);
}

static void keep(struct arena *arena, struct lock_cycle *cycle, lock_cycle_list *list) {
  cycle->moments = arena_alloc(arena, cycle->length * sizeof *cycle->moments);
  vector_push(arena, list) = *cycle;
}

static bool found_possible(void *context, const uint32_t *path, uint32_t length) {
  struct pursuit *pursuit = context;
  struct lock_cycles *cycles = pursuit->cycles;
  struct lock_cycle cycle = cycle_of(pursuit, path, length);
  examine(cycles, &cycle);
  if (cycle.why_not == WHY_POSSIBLE)
    keep(cycles->arena, &cycle, &cycles->possible);
  else
    cycle_free(cycles->arena, &cycle);
  return cycles->possible.count < FOUND_MOST;
}

static bool found_impossible(void *context, const uint32_t *path, uint32_t length) {
  struct pursuit *pursuit = context;
  struct lock_cycles *cycles = pursuit->cycles;
  struct lock_cycle cycle = cycle_of(pursuit, path, length);
  examine(cycles, &cycle);
  cycle.verdict = VERDICT_IMPOSSIBLE;
  bool is_impossible = cycle.why_not != WHY_POSSIBLE;
  cycles->impossible_count += is_impossible;
  if (is_impossible && cycles->keep_impossible)
    keep(cycles->arena, &cycle, &cycles->impossible);
  else
    cycle_free(cycles->arena, &cycle);
  return cycles->impossible_count < LISTED_MOST;
}

static bool hunt(struct pursuit *pursuit, const struct graph *graph, bool is_pruned) {
  struct graph_search search = {.budget = STEPS_MOST,
                                .may_follow = is_pruned ? may_follow : NULL,
                                .found = is_pruned ? found_possible : found_impossible,
                                .context = pursuit};
  for (uint32_t length = 2; length <= pursuit->cycles->longest; length++) { /* short ones are understood best */
    search.shortest = search.longest = 2 * length;
    if (!graph_cycles(pursuit->cycles->arena, graph, &search))
      return false;
  }
  return true;
}

static void measure_knots(struct lock_cycles *cycles, const struct graph *graph) {
  uint32_t *component = arena_resize(cycles->arena, NULL, (graph->count + 1) * sizeof *component);
  uint32_t count = graph_scc(cycles->arena, graph, component), locks = (uint32_t)cycles->deps->lists.count;
  uint32_t *sizes = arena_resize(cycles->arena, NULL, (count + 1) * sizeof *sizes);
  memset(sizes, 0, (count + 1) * sizeof *sizes);
  for (uint32_t lock = 0; lock < locks; lock++)
    if (++sizes[component[lock]] > cycles->entangled)
      cycles->entangled = sizes[component[lock]];
  arena_release(cycles->arena, sizes);
  arena_release(cycles->arena, component);
}

void lock_cycles_find(struct lock_cycles *cycles) {
  classify(cycles);
  if (!cycles->classes.count)
    return;
  struct graph graph = graph_of(cycles);
  struct pursuit pursuit = {cycles, (uint32_t)cycles->deps->lists.count};
  measure_knots(cycles, &graph);
  if (cycles->entangled < 2)
    return;
  cycles->was_cut = !hunt(&pursuit, &graph, true);
  cycles->impossible_was_cut = !hunt(&pursuit, &graph, false);
}
