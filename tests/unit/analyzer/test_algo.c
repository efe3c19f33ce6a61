/* SPDX-License-Identifier: MIT
 *
 * Each pure algorithm beside its slow, obvious twin, on random input whose seed is printed when they differ. One
 * thread.
 */
#include "clock.h"
#include "graph.h"
#include "lockset.h"
#include "map.h"
#include "reduction.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

static uint64_t seed, random_state;

static unsigned draw(unsigned below) { return (unsigned)(map_mix(random_state += 0x9e3779b97f4a7c15ull) % below); }

static void begin(uint64_t with) { seed = random_state = with; }

#define same(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      fail_msg("seed %#llx: %s", (unsigned long long)seed, #condition);                                                \
  } while (0)

#define PIECES 40u

/* Resizable pieces beside copies made with malloc: nothing that lies in one is lost when others come, grow and go. */
static void pieces(void **state) {
  (void)state;
  struct arena arena;
  unsigned char *fast[PIECES] = {NULL}, naive[PIECES][2000];
  size_t sizes[PIECES] = {0};
  arena_init(&arena, NULL);
  begin(0xa4e4a);
  for (unsigned step = 0; step < 20000; step++) {
    unsigned i = draw(PIECES);
    size_t size = draw(draw(4) ? 100 : 2000);
    if (draw(4) == 0) {
      arena_release(&arena, fast[i]);
      fast[i] = NULL;
      sizes[i] = 0;
    } else {
      fast[i] = arena_resize(&arena, fast[i], size);
      same((uintptr_t)fast[i] % 16 == 0);
      same(!memcmp(fast[i], naive[i], size < sizes[i] ? size : sizes[i]));
      memset(fast[i], (int)step, size);
      memset(naive[i], (int)step, size);
      sizes[i] = size;
    }
    for (unsigned j = 0; j < PIECES; j++)
      same(!fast[j] || !memcmp(fast[j], naive[j], sizes[j]));
  }
  same(arena.bytes < 2000000);
  arena_destroy(&arena);
}

#define CLOCK_THREADS 12

/* Numbers of threads that need one to three levels. */
static const uint32_t numbers[CLOCK_THREADS] = {0, 1, 7, 15, 16, 17, 40, 255, 256, 300, 4095, 70000};

static void clock_is(const struct clock *clock, const uint32_t *naive) {
  for (unsigned i = 0; i < CLOCK_THREADS; i++)
    same(clock_get(clock, numbers[i]) == naive[i]);
  same(clock_get(clock, 2) == 0 && clock_get(clock, 5000000) == 0);
}

static void clocks(void **state) {
  (void)state;
  struct arena arena;
  struct clocks pool;
  struct clock *fast[6] = {NULL};
  uint32_t naive[6][CLOCK_THREADS] = {{0}};
  arena_init(&arena, NULL);
  clocks_init(&pool, &arena);
  begin(0xc10c);
  for (unsigned step = 0; step < 40000; step++) {
    unsigned a = draw(6), b = draw(6), t = draw(CLOCK_THREADS);
    struct clock *old = fast[a];
    switch (draw(4)) {
    case 0:
      fast[a] = clock_set(&pool, old, numbers[t], naive[a][t] = naive[a][t] + draw(3));
      break;
    case 1:
      fast[a] = clock_join(&pool, old, fast[b]);
      for (unsigned i = 0; i < CLOCK_THREADS; i++)
        naive[a][i] = naive[a][i] > naive[b][i] ? naive[a][i] : naive[b][i];
      break;
    case 2:
      fast[a] = draw(8) ? clock_keep(old) : NULL;
      memset(naive[a], 0, fast[a] ? 0 : sizeof naive[a]);
      break;
    default:
      fast[a] = clock_keep(fast[b]);
      memmove(naive[a], naive[b], sizeof naive[a]);
    }
    clock_drop(&pool, old);
    clock_is(fast[a], naive[a]);
    bool before = true;
    for (unsigned i = 0; i < CLOCK_THREADS; i++)
      before &= naive[a][i] <= naive[b][i];
    same(clock_is_before(fast[a], fast[b]) == before);
  }
  size_t bytes = arena.bytes;
  same(bytes < 1000000); /* clocks that nobody keeps are used again */
  arena_destroy(&arena);
}

static void maps(void **state) {
  (void)state;
  struct arena arena;
  struct map map = {0};
  uint32_t naive[500];
  memset(naive, 0xff, sizeof naive);
  arena_init(&arena, NULL);
  begin(0x3a9);
  for (unsigned step = 0; step < 100000; step++) {
    unsigned key = draw(500);
    if (draw(2)) {
      naive[key] = draw(1000);
      map_put(&arena, &map, key * 0x100000000ull, naive[key]);
    } else {
      naive[key] = MAP_NONE;
      map_remove(&map, key * 0x100000000ull);
    }
    key = draw(500);
    same(map_get(&map, key * 0x100000000ull) == naive[key]);
  }
  arena_destroy(&arena);
}

static void locksets(void **state) {
  (void)state;
  struct arena arena;
  struct locksets sets;
  struct lockset *kept[64] = {NULL};
  unsigned naive[64] = {0}; /* two bits per lock */
  arena_init(&arena, NULL);
  locksets_init(&sets, &arena);
  begin(0x10c5);
  for (unsigned step = 0; step < 20000; step++) {
    unsigned at = draw(64), modes = 0, count = 0;
    uint32_t members[8];
    for (unsigned n = draw(6); n; n--) {
      unsigned lock = draw(8), is_write = draw(2);
      if (modes >> 2 * lock & 3)
        continue;
      modes |= (is_write ? 2u : 1u) << 2 * lock;
      members[count++] = lockset_member(lock, is_write);
    }
    if (kept[at])
      lockset_put(&sets, kept[at]);
    kept[at] = lockset_get(&sets, members, count);
    naive[at] = modes;
    for (unsigned i = 0; i < 64; i++) {
      same(!kept[i] || (kept[i] == kept[at]) == (naive[i] == naive[at]));
      same(!kept[i] || i == at || naive[i] == naive[at] || kept[i]->id != kept[at]->id);
    }
    unsigned other = draw(64);
    uint32_t conflict = UINT32_MAX;
    for (unsigned lock = 8; kept[other] && lock--;) {
      unsigned x = naive[at] >> 2 * lock & 3, y = naive[other] >> 2 * lock & 3;
      same(lockset_holds(kept[at], lock) == (int)x);
      if (x && y && (x | y) & 2)
        conflict = lock;
    }
    same(!kept[other] || lockset_conflict(kept[at], kept[other]) == conflict);
  }
  arena_destroy(&arena);
}

#define NODES 7

static struct graph random_graph(struct arena *arena, bool edges[NODES][NODES], unsigned density) {
  struct graph_edge list[NODES * NODES];
  size_t count = 0;
  for (unsigned a = 0; a < NODES; a++)
    for (unsigned b = 0; b < NODES; b++)
      if ((edges[a][b] = draw(10) < density))
        list[count++] = (struct graph_edge){a, b};
  for (size_t i = count; i-- > 1;) { /* in any order */
    size_t j = draw((unsigned)i + 1);
    struct graph_edge swap = list[i];
    list[i] = list[j];
    list[j] = swap;
  }
  return graph_build(arena, NODES, list, count);
}

static void components(void **state) {
  (void)state;
  for (unsigned round = 0; round < 3000; round++) {
    struct arena arena;
    bool edges[NODES][NODES], leads[NODES][NODES];
    uint32_t component[NODES];
    arena_init(&arena, NULL);
    begin(0x5cc0000 + round);
    struct graph graph = random_graph(&arena, edges, 1 + draw(4));
    graph_scc(&arena, &graph, component);
    memcpy(leads, edges, sizeof leads);
    for (unsigned k = 0; k < NODES; k++)
      for (unsigned a = 0; a < NODES; a++)
        for (unsigned b = 0; b < NODES; b++)
          leads[a][b] |= leads[a][k] && leads[k][b];
    for (unsigned a = 0; a < NODES; a++)
      for (unsigned b = 0; b < NODES; b++) {
        same((component[a] == component[b]) == (a == b || (leads[a][b] && leads[b][a])));
        same(!leads[a][b] || component[b] <= component[a]);
      }
    arena_destroy(&arena);
  }
}

struct found {
  uint64_t sum; /* of the cycles' hashes: the order does not matter */
  unsigned count;
};

static uint64_t hash_path(const uint32_t *path, uint32_t length) {
  uint64_t hash = length;
  for (uint32_t i = 0; i < length; i++)
    hash = map_mix(hash + path[i] + 1);
  return hash;
}

static bool no_two_odd(void *context, const uint32_t *path, uint32_t length, uint32_t next) {
  (void)context;
  return !(path[length - 1] & 1) || !(next & 1);
}

static bool note(void *context, const uint32_t *path, uint32_t length) {
  struct found *found = context;
  found->sum += hash_path(path, length);
  found->count++;
  return true;
}

static void naive_cycles(bool edges[NODES][NODES], uint32_t *path, uint32_t length, struct graph_search *search) {
  uint32_t last = path[length - 1];
  if (edges[last][path[0]] && length >= search->shortest)
    note(search->context, path, length);
  for (uint32_t next = path[0] + 1; next < NODES && length < search->longest; next++) {
    bool is_new = edges[last][next];
    for (uint32_t i = 0; i < length; i++)
      is_new &= path[i] != next;
    if (!is_new || (search->may_follow && !search->may_follow(NULL, path, length, next)))
      continue;
    path[length] = next;
    naive_cycles(edges, path, length + 1, search);
  }
}

static void cycles(void **state) {
  (void)state;
  unsigned total = 0;
  for (unsigned round = 0; round < 2000; round++) {
    struct arena arena;
    bool edges[NODES][NODES];
    uint32_t path[NODES + 1];
    struct found fast = {0}, slow = {0};
    arena_init(&arena, NULL);
    begin(0xc7c1e00 + round);
    struct graph graph = random_graph(&arena, edges, 1 + draw(5));
    struct graph_search search = {.shortest = 1 + draw(3), .budget = UINT64_MAX, .found = note, .context = &fast};
    search.longest = search.shortest + draw(5);
    search.may_follow = draw(2) ? no_two_odd : NULL;
    same(graph_cycles(&arena, &graph, &search));
    search.context = &slow;
    for (path[0] = 0; path[0] < NODES; path[0]++)
      naive_cycles(edges, path, 1, &search);
    same(fast.count == slow.count && fast.sum == slow.sum);
    total += fast.count;
    search.context = &fast;
    search.budget = 3;
    same(graph_cycles(&arena, &graph, &search) || search.budget == 0); /* a cut-off is told */
    arena_destroy(&arena);
  }
  assert_true(total > 10000);
}

static void reductions(void **state) {
  (void)state;
  unsigned stuck = 0, free = 0;
  for (unsigned round = 0; round < 5000; round++) {
    struct arena arena;
    bool edges[NODES][NODES], fast[NODES], slow[NODES] = {false};
    uint8_t kinds[NODES];
    arena_init(&arena, NULL);
    begin(0x4ed0000 + round);
    struct graph graph = random_graph(&arena, edges, 1 + draw(4));
    for (unsigned i = 0; i < NODES; i++)
      kinds[i] = (uint8_t)(draw(5) ? 1 + draw(2) : REDUCTION_FREE);
    reduction_run(&arena, &graph, kinds, fast);
    for (bool changed = true; changed;) {
      changed = false;
      for (unsigned i = 0; i < NODES; i++) {
        bool all = true, any = false;
        for (unsigned j = 0; j < NODES; j++) {
          all &= !edges[i][j] || slow[j];
          any |= edges[i][j] && slow[j];
        }
        bool goes_on = kinds[i] == REDUCTION_FREE || (kinds[i] == REDUCTION_AND ? all : any);
        changed |= goes_on && !slow[i];
        slow[i] |= goes_on;
      }
    }
    for (unsigned i = 0; i < NODES; i++) {
      same(fast[i] == slow[i]);
      stuck += !fast[i];
      free += fast[i];
    }
    arena_destroy(&arena);
  }
  assert_true(stuck > 1000 && free > 1000);
}

/* Deep graphs must not need a deep stack. */
static void long_chains(void **state) {
  (void)state;
  enum { LENGTH = 1000000 };
  struct arena arena;
  arena_init(&arena, NULL);
  struct graph_edge *edges = arena_resize(&arena, NULL, LENGTH * sizeof *edges);
  uint32_t *component = arena_resize(&arena, NULL, LENGTH * sizeof *component);
  for (uint32_t i = 0; i < LENGTH; i++)
    edges[i] = (struct graph_edge){i, (i + 1) % LENGTH};
  struct graph graph = graph_build(&arena, LENGTH, edges, LENGTH);
  assert_int_equal(graph_scc(&arena, &graph, component), 1);
  arena_destroy(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(clocks),      cmocka_unit_test(maps),
                                     cmocka_unit_test(locksets),    cmocka_unit_test(components),
                                     cmocka_unit_test(cycles),      cmocka_unit_test(reductions),
                                     cmocka_unit_test(long_chains), cmocka_unit_test(pieces)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
