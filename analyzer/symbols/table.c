/* SPDX-License-Identifier: MIT
 *
 * The hash table of table.h: open addressing with linear probing, at most half full.
 */
#include "table.h"

#include <stdlib.h>

struct table_slot {
  struct table_key key;
  void *value; /* NULL: free */
};

static uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdull;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ull;
  return x ^ x >> 33;
}

/* The slot that holds `key`, or the free one where it belongs. The table has room. */
static struct table_slot *slot_of(const struct table *table, struct table_key key) {
  size_t i = mix(key.a + mix(key.b + mix(key.c)));
  for (;; i++) {
    struct table_slot *slot = &table->slots[i & (table->room - 1)];
    if (!slot->value || (slot->key.a == key.a && slot->key.b == key.b && slot->key.c == key.c))
      return slot;
  }
}

void *table_get(const struct table *table, struct table_key key) {
  return table->room ? slot_of(table, key)->value : NULL;
}

static int table_grow(struct table *table) {
  struct table bigger = {.used = table->used, .room = table->room ? table->room * 2 : 64};
  bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
  if (!bigger.slots)
    return -1;
  for (size_t i = 0; i < table->room; i++)
    if (table->slots[i].value)
      *slot_of(&bigger, table->slots[i].key) = table->slots[i];
  free(table->slots);
  *table = bigger;
  return 0;
}

void table_put(struct table *table, struct table_key key, void *value) {
  if (table->used * 2 >= table->room && table_grow(table) != 0)
    return;
  *slot_of(table, key) = (struct table_slot){key, value};
  table->used++;
}

void table_destroy(struct table *table, void (*end)(void *value)) {
  for (size_t i = 0; i < table->room; i++)
    if (table->slots[i].value && end)
      end(table->slots[i].value);
  free(table->slots);
  *table = (struct table){0};
}
