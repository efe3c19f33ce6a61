/* SPDX-License-Identifier: MIT
 *
 * A hash map from 64-bit keys to 32-bit values, by linear probing with backward-shift deletion (Knuth, TAOCP 3, 6.4,
 * algorithm R). Zero-initialized is empty. One thread per map.
 */
#ifndef SNARL_ALGO_MAP_H
#define SNARL_ALGO_MAP_H

#include "arena.h"
#include <stdbool.h>

#define MAP_NONE UINT32_MAX /* no value */

struct map_entry {
  uint64_t key;
  uint32_t value; /* MAP_NONE: a free place */
  uint32_t note;  /* the caller's; 0 when the key is put for the first time */
};

struct map {
  struct map_entry *entries;
  size_t count, room; /* room: a power of two, or 0 */
};

uint64_t map_mix(uint64_t key); /* spreads a key over all bits */
/* The value of `key`, MAP_NONE if it has none. */
uint32_t map_get(const struct map *map, uint64_t key);
/* The entry of `key`, NULL if it has none; valid until the map changes. */
struct map_entry *map_find(const struct map *map, uint64_t key);
/* Gives `key` the value, which is not MAP_NONE. */
void map_put(struct arena *arena, struct map *map, uint64_t key, uint32_t value);
void map_remove(struct map *map, uint64_t key);
void map_free(struct arena *arena, struct map *map);

#endif
