/* SPDX-License-Identifier: MIT
 *
 * The guarded store (see store.h). Everything below the entry points runs with the guard held.
 */
#include "store.h"
#include <stdlib.h>

struct snarli_store *snarli_store_new(enum snarli_order order, uint64_t limit,
                                      int (*compare)(const void *, const void *)) {
  struct snarli_store *store = calloc(1, sizeof *store);
  if (store) {
    store->order = order;
    store->limit = limit;
    store->compare = compare;
  }
  return store;
}

void snarli_store_settle(struct snarli_store *store) { snarli_guard(&store->guard); }

void snarli_store_free(struct snarli_store *store) {
  free(store->entries);
  free(store);
}

static bool grow(struct snarli_store *store) {
  uint64_t room = store->room ? store->room * 2 : 64;
  struct snarli_entry *entries =
      room < SIZE_MAX / sizeof *entries ? realloc(store->entries, room * sizeof *entries) : NULL;
  if (!entries)
    return false;
  store->entries = entries;
  store->room = room;
  return true;
}

static bool is_before(const struct snarli_store *store, const struct snarli_entry *a, const struct snarli_entry *b) {
  uintptr_t left = (uintptr_t)a->item, right = (uintptr_t)b->item;
  int order = store->compare ? store->compare(a->item, b->item) : (left > right) - (left < right);
  return order < 0 || (order == 0 && a->number < b->number);
}

static void heap_rise(struct snarli_store *store, uint64_t i, struct snarli_entry entry) {
  while (i && is_before(store, &entry, &store->entries[(i - 1) / 2])) {
    store->entries[i] = store->entries[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  store->entries[i] = entry;
}

static void heap_sink(struct snarli_store *store, struct snarli_entry entry) {
  uint64_t i = 0;
  for (uint64_t child; (child = 2 * i + 1) < store->count; i = child) {
    if (child + 1 < store->count && is_before(store, &store->entries[child + 1], &store->entries[child]))
      child++;
    if (!is_before(store, &store->entries[child], &entry))
      break;
    store->entries[i] = store->entries[child];
  }
  store->entries[i] = entry;
}

static int put(struct snarli_store *store, void *item) {
  if (store->is_closed)
    return SNARL_CLOSED;
  if (store->count >= store->limit)
    return SNARLI_WOULD_WAIT;
  if (store->count == store->room && !grow(store))
    return SNARL_NO_MEMORY;
  struct snarli_entry entry = {item, store->puts};
  snarli_store64(&store->puts, store->puts + 1); /* it and `count` are also read without the guard */
  if (store->order == SNARLI_PRIORITY)
    heap_rise(store, store->count, entry);
  else
    store->entries[store->count] = entry;
  snarli_store64(&store->count, store->count + 1);
  return SNARL_OK;
}

static int get(struct snarli_store *store, void **item) {
  if (!store->count)
    return store->is_closed ? SNARL_CLOSED : SNARLI_WOULD_WAIT;
  snarli_store64(&store->count, store->count - 1);
  struct snarli_entry last = store->entries[store->count];
  *item = store->order == SNARLI_LIFO ? last.item : store->entries[0].item;
  if (store->order == SNARLI_PRIORITY)
    heap_sink(store, last);
  return SNARL_OK;
}

int snarli_store_put(struct snarli_store *store, void *item, snarli_noted *noted, void *queue,
                     struct snarl_site *site) {
  snarli_guard(&store->guard);
  int status = put(store, item);
  if (status == SNARL_OK) {
    if (noted)
      noted(queue, site);
    snarli_store(&store->changes, store->changes + 1);
  }
  snarli_unguard(&store->guard);
  return status;
}

int snarli_store_get(struct snarli_store *store, void **item) {
  snarli_guard(&store->guard);
  int status = get(store, item);
  if (status == SNARL_OK)
    snarli_store(&store->changes, store->changes + 1);
  snarli_unguard(&store->guard);
  return status;
}

bool snarli_store_close(struct snarli_store *store) {
  snarli_guard(&store->guard);
  bool was_open = !store->is_closed;
  store->is_closed = true;
  snarli_store(&store->changes, store->changes + 1);
  snarli_unguard(&store->guard);
  return was_open;
}
