/* SPDX-License-Identifier: MIT
 *
 * A hash table from three numbers to a pointer, for the caches of symbols/. Grows without limit, never forgets. One
 * thread at a time.
 */
#ifndef SYMBOLS_TABLE_H
#define SYMBOLS_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_key {
  uint64_t a, b, c;
};

struct table {
  struct table_slot *slots;
  size_t used, room; /* room: 0 or a power of two */
};

/* What was stored under `key`, NULL if nothing was. */
void *table_get(const struct table *table, struct table_key key);
/* Stores `value` (not NULL) under a key that is not in the table. Out of memory: it is not stored. */
void table_put(struct table *table, struct table_key key, void *value);
/* Calls `end` for each value, then frees the table. */
void table_destroy(struct table *table, void (*end)(void *value));

#endif
