/* SPDX-License-Identifier: MIT
 *
 * What a manager's server keeps (see store.h). The server's one thread.
 */
#include "store.h"
#include <snarl/base.h>
#include <stdlib.h>
#include <string.h>

static bool is_here(const struct manager_bytes *bytes) { return bytes->size <= sizeof bytes->here; }

struct packed snarli_manager_view(const struct manager_bytes *bytes) {
  return (struct packed){is_here(bytes) ? bytes->here : bytes->there, bytes->size};
}

void snarli_manager_release(struct manager_bytes *bytes) {
  if (!is_here(bytes))
    free(bytes->there);
  bytes->size = 0;
}

bool snarli_manager_assign(struct manager_bytes *bytes, struct packed to) {
  struct manager_bytes made = {.size = (uint32_t)to.size};
  if (!is_here(&made) && !(made.there = malloc(to.size)))
    return false;
  if (to.size)
    memcpy(is_here(&made) ? made.here : made.there, to.bytes, to.size);
  snarli_manager_release(bytes);
  *bytes = made;
  return true;
}

/* FNV-1a, begun where nobody outside knows. */
uint32_t snarli_manager_hash(const struct manager_store *store, struct packed key) {
  uint64_t hash = store->seed ^ 14695981039346656037ull;
  for (size_t i = 0; i < key.size; i++)
    hash = (hash ^ key.bytes[i]) * 1099511628211ull;
  return (uint32_t)(hash ^ hash >> 32);
}

struct manager_pair *snarli_manager_find(const struct manager_pairs *pairs, struct packed key, uint32_t hash) {
  if (!pairs->table)
    return NULL;
  for (uint32_t at = hash & pairs->mask; pairs->table[at]; at = (at + 1) & pairs->mask) {
    struct manager_pair *pair = &pairs->pairs[pairs->table[at] - 1];
    if (pair->hash == hash && pair->item.version && snarli_pack_equal(snarli_manager_view(&pair->key), key))
      return pair;
  }
  return NULL;
}

static void enter(struct manager_pairs *pairs, uint32_t place) {
  uint32_t at = pairs->pairs[place].hash & pairs->mask;
  while (pairs->table[at])
    at = (at + 1) & pairs->mask;
  pairs->table[at] = place + 1;
}

/* Anew without the holes, with room for half as many again. */
static bool rebuild(struct manager_pairs *pairs) {
  uint32_t room = 8;
  while (room <= pairs->length + pairs->length / 2)
    room *= 2;
  struct manager_pair *packed = malloc(room * sizeof *packed);
  uint32_t *table = calloc(2 * (size_t)room, sizeof *table);
  if (!packed || !table) {
    free(packed);
    free(table);
    return false;
  }
  uint32_t count = 0;
  for (uint32_t i = 0; i < pairs->used; i++)
    if (pairs->pairs[i].item.version)
      packed[count++] = pairs->pairs[i];
  struct manager_pairs old = *pairs;
  *pairs = (struct manager_pairs){packed, table, count, room, count, 2 * room - 1};
  for (uint32_t i = 0; i < count; i++)
    enter(pairs, i);
  free(old.pairs);
  free(old.table);
  return true;
}

struct manager_pair *snarli_manager_add(struct manager_pairs *pairs, struct packed key, uint32_t hash) {
  struct manager_bytes own = {0};
  if ((pairs->used == pairs->room && !rebuild(pairs)) || !snarli_manager_assign(&own, key))
    return NULL;
  struct manager_pair *pair = &pairs->pairs[pairs->used++];
  *pair = (struct manager_pair){.key = own, .hash = hash};
  enter(pairs, pairs->used - 1);
  pairs->length++;
  return pair;
}

/* The table goes on naming it, and finds that it is none. */
void snarli_manager_drop(struct manager_pairs *pairs, struct manager_pair *pair) {
  snarli_manager_release(&pair->key);
  snarli_manager_release(&pair->item.value);
  pair->item.version = 0;
  pairs->length--;
}

struct manager_item *snarli_manager_insert(struct manager_items *items, uint32_t at) {
  if (items->length == items->room) {
    uint32_t room = items->room + items->room / 2 + 8;
    struct manager_item *grown = realloc(items->items, room * sizeof *grown);
    if (!grown)
      return NULL;
    items->items = grown;
    items->room = room;
  }
  memmove(&items->items[at + 1], &items->items[at], (items->length++ - at) * sizeof *items->items);
  items->items[at] = (struct manager_item){.version = 0};
  return &items->items[at];
}

void snarli_manager_delete(struct manager_items *items, uint32_t at) {
  snarli_manager_release(&items->items[at].value);
  memmove(&items->items[at], &items->items[at + 1], (--items->length - at) * sizeof *items->items);
}

uint32_t snarli_manager_length(const struct manager_thing *thing) {
  return thing->kind == MANAGER_LIST ? thing->items.length : thing->pairs.length;
}

void snarli_manager_clear(struct manager_thing *thing) {
  if (thing->kind == MANAGER_LIST) {
    while (thing->items.length)
      snarli_manager_delete(&thing->items, thing->items.length - 1);
    free(thing->items.items);
    thing->items = (struct manager_items){NULL, 0, 0};
    return;
  }
  for (uint32_t i = 0; i < thing->pairs.used; i++)
    if (thing->pairs.pairs[i].item.version)
      snarli_manager_drop(&thing->pairs, &thing->pairs.pairs[i]);
  free(thing->pairs.pairs);
  free(thing->pairs.table);
  thing->pairs = (struct manager_pairs){NULL, NULL, 0, 0, 0, 0};
}

struct manager_thing *snarli_manager_thing(const struct manager_store *store, uint32_t id) {
  return id && id <= store->count ? store->things[id - 1] : NULL;
}

static struct manager_thing **named(struct manager_store *store, struct packed name) {
  struct manager_thing **at = &store->names[snarli_manager_hash(store, name) % MANAGER_NAMES];
  while (*at && !snarli_pack_equal(snarli_manager_view(&(*at)->name), name))
    at = &(*at)->next;
  return at;
}

static bool has_room(struct manager_store *store) {
  if (store->count < store->room)
    return true;
  uint32_t room = store->room * 2 + 16;
  struct manager_thing **things = realloc(store->things, room * sizeof *things);
  if (!things)
    return false;
  store->things = things;
  store->room = room;
  return true;
}

int snarli_manager_open(struct manager_store *store, struct packed name, enum manager_kind kind,
                        struct manager_thing **thing) {
  struct manager_thing **place = name.size ? named(store, name) : NULL;
  *thing = place ? *place : NULL;
  if (*thing)
    return (*thing)->kind == kind ? SNARL_OK : SNARL_WRONG_KIND;
  struct manager_thing *made = has_room(store) ? calloc(1, sizeof *made) : NULL;
  if (!made || !snarli_manager_assign(&made->name, name)) {
    free(made);
    return SNARL_NO_MEMORY;
  }
  made->kind = kind;
  store->things[store->count++] = made;
  made->id = store->count;
  if (place)
    *place = made;
  return *thing = made, SNARL_OK;
}

void snarli_manager_forget(struct manager_store *store, struct manager_thing *thing) {
  struct packed name = snarli_manager_view(&thing->name);
  if (name.size)
    *named(store, name) = thing->next;
  store->things[thing->id - 1] = NULL;
  snarli_manager_clear(thing);
  snarli_manager_release(&thing->name);
  free(thing);
}

void snarli_manager_store_free(struct manager_store *store) {
  for (uint32_t i = 0; i < store->count; i++)
    if (store->things[i])
      snarli_manager_forget(store, store->things[i]);
  free(store->things);
  *store = (struct manager_store){0};
}
