/* SPDX-License-Identifier: MIT
 *
 * A hash map by linear probing (see map.h). One thread per map.
 */
#include "map.h"

uint64_t map_mix(uint64_t key) { /* the finalizer of SplitMix64 (Steele, Lea, Flood 2014) */
  key ^= key >> 30;
  key *= 0xbf58476d1ce4e5b9ull;
  key ^= key >> 27;
  key *= 0x94d049bb133111ebull;
  return key ^ key >> 31;
}

/* Where `key` is, or the free place where it belongs. The map has room. */
static size_t place_of(const struct map *map, uint64_t key) {
  size_t mask = map->room - 1, i = map_mix(key) & mask;
  while (map->entries[i].value != MAP_NONE && map->entries[i].key != key)
    i = (i + 1) & mask;
  return i;
}

uint32_t map_get(const struct map *map, uint64_t key) {
  return map->room ? map->entries[place_of(map, key)].value : MAP_NONE;
}

struct map_entry *map_find(const struct map *map, uint64_t key) {
  struct map_entry *entry = map->room ? &map->entries[place_of(map, key)] : NULL;
  return entry && entry->value != MAP_NONE ? entry : NULL;
}

static void grow(struct arena *arena, struct map *map) {
  struct map old = *map;
  map->room = old.room ? old.room * 2 : 8;
  map->entries = arena_resize(arena, NULL, map->room * sizeof *map->entries);
  for (size_t i = 0; i < map->room; i++)
    map->entries[i].value = MAP_NONE;
  for (size_t i = 0; i < old.room; i++)
    if (old.entries[i].value != MAP_NONE)
      map->entries[place_of(map, old.entries[i].key)] = old.entries[i];
  arena_release(arena, old.entries);
}

void map_put(struct arena *arena, struct map *map, uint64_t key, uint32_t value) {
  if ((map->count + 1) * 4 > map->room * 3)
    grow(arena, map);
  size_t i = place_of(map, key);
  if (map->entries[i].value == MAP_NONE) {
    map->count++;
    map->entries[i] = (struct map_entry){.key = key};
  }
  map->entries[i].value = value;
}

void map_remove(struct map *map, uint64_t key) {
  if (!map->room)
    return;
  size_t mask = map->room - 1, hole = place_of(map, key);
  if (map->entries[hole].value == MAP_NONE)
    return;
  map->count--;
  for (size_t i = (hole + 1) & mask; map->entries[i].value != MAP_NONE; i = (i + 1) & mask) {
    size_t home = map_mix(map->entries[i].key) & mask;
    if (((i - home) & mask) < ((i - hole) & mask)) /* it would become unreachable from its home */
      continue;
    map->entries[hole] = map->entries[i];
    hole = i;
  }
  map->entries[hole].value = MAP_NONE;
}

void map_free(struct arena *arena, struct map *map) {
  arena_release(arena, map->entries);
  *map = (struct map){0};
}
