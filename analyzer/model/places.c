/* SPDX-License-Identifier: MIT
 *
 * Where a process sees objects: by address, and by page, so that those in memory that goes are found. One thread per
 * model.
 */
#include "parts.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#define PAGE_SHIFT 12

size_t place_recent_slot(uint64_t address) { return (address >> 3 ^ address >> 13) % RECENT_OBJECTS; }

struct place *place_at(struct process *process, uint64_t address) {
  uint32_t i = map_get(&process->addresses, address);
  return i == MAP_NONE ? NULL : &process->places.items[i];
}

static void page_link(struct model *model, struct process *process, uint32_t i) {
  struct place *place = &process->places.items[i];
  place->next = map_get(&process->pages, place->address >> PAGE_SHIFT);
  map_put(model->arena, &process->pages, place->address >> PAGE_SHIFT, i);
}

static void page_unlink(struct model *model, struct process *process, uint32_t i) {
  const struct place *place = &process->places.items[i];
  uint64_t page = place->address >> PAGE_SHIFT;
  uint32_t at = map_get(&process->pages, page);
  if (at == i) {
    map_remove(&process->pages, page);
    if (place->next != MAP_NONE)
      map_put(model->arena, &process->pages, page, place->next);
    return;
  }
  while (process->places.items[at].next != i)
    at = process->places.items[at].next;
  process->places.items[at].next = place->next;
}

void object_leave(struct model *model, struct process *process, uint64_t address) {
  uint32_t i = map_get(&process->addresses, address);
  if (i == MAP_NONE)
    return;
  map_remove(&process->addresses, address);
  page_unlink(model, process, i);
  if (process->recent) /* it may name this place */
    process->recent[place_recent_slot(address)].place.object = NULL;
  vector_push(model->arena, &process->free_places) = i;
}

void object_put(struct model *model, struct process *process, uint64_t address, struct object *object) {
  struct place *place = place_at(process, address);
  if (!place) {
    uint32_t i;
    if (process->free_places.count) {
      i = process->free_places.items[--process->free_places.count];
    } else {
      i = (uint32_t)process->places.count;
      (void)vector_push(model->arena, &process->places);
    }
    map_put(model->arena, &process->addresses, address, i);
    place = &process->places.items[i];
    place->address = address;
    page_link(model, process, i);
  }
  place->object = object;
  place->serial = object->serial;
  place->version = (uint32_t)process->changes_seen;
}

/* Addresses in [lo, hi) at which a process sees objects. */
struct found_addresses {
  uint64_t lo, hi;
  VECTOR(uint64_t) items;
};

static void find_in_page(struct model *model, const struct process *process, uint64_t page,
                         struct found_addresses *found) {
  for (uint32_t i = map_get(&process->pages, page); i != MAP_NONE; i = process->places.items[i].next)
    if (process->places.items[i].address >= found->lo && process->places.items[i].address < found->hi)
      vector_push(model->arena, &found->items) = process->places.items[i].address;
}

/* Page by page, or all pages that there are if they are fewer. */
static void find_addresses(struct model *model, const struct process *process, struct found_addresses *found) {
  uint64_t first = found->lo >> PAGE_SHIFT, last = (found->hi - 1) >> PAGE_SHIFT;
  if (last - first < process->pages.room) {
    for (uint64_t page = first; page <= last; page++)
      find_in_page(model, process, page, found);
    return;
  }
  for (size_t i = 0; i < process->pages.room; i++)
    if (process->pages.entries[i].value != MAP_NONE)
      find_in_page(model, process, process->pages.entries[i].key, found);
}

static int compare_addresses(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static void end_at(struct model *model, struct process *process, uint64_t address) {
  struct place *place = place_at(process, address);
  if (place->object->serial == place->serial && !place->object->is_gone && !place->object->is_shared)
    object_retire(model, place->object);
  else
    object_leave(model, process, address);
}

/* A forked child's copies of its parents' objects are made when they are used: none will be made of these. */
static void end_inherited(struct model *model, struct process *process, struct found_addresses *found) {
  const struct process *parent = process->parent, *child = process;
  for (uint32_t steps = 0; child->info->forked && parent && steps < model->process_count; steps++) {
    found->items.count = 0;
    find_addresses(model, parent, found);
    for (size_t i = 0; i < found->items.count; i++)
      map_put(model->arena, &process->freed, found->items.items[i], 1);
    child = parent;
    parent = parent->parent;
  }
}

static void end_keys(struct model *model, struct process *process, uint64_t lo, uint64_t size) {
  struct found_addresses found = {.lo = lo, .hi = lo + size};
  find_addresses(model, process, &found);
  if (found.items.count) /* in an order that is the same in every replay */
    qsort(found.items.items, found.items.count, sizeof *found.items.items, compare_addresses);
  for (size_t i = 0; i < found.items.count; i++)
    end_at(model, process, found.items.items[i]);
  end_inherited(model, process, &found);
  vector_free(model->arena, &found.items);
}

void objects_end(struct model *model, struct process *process, uint64_t lo, uint64_t size) {
  if (!size)
    return;
  end_keys(model, process, lo, size);
  end_keys(model, process, lo | KEY_OF_LOCK, size);
  end_keys(model, process, lo | KEY_OF_ORDER, size);
}

static uint64_t size_of_family(enum snarli_family family) {
  switch (family) {
  case SNARLI_MUTEX:
    return sizeof(pthread_mutex_t);
  case SNARLI_RWLOCK:
    return sizeof(pthread_rwlock_t);
  case SNARLI_COND:
    return sizeof(pthread_cond_t);
  case SNARLI_SEM:
    return sizeof(sem_t);
  case SNARLI_BARRIER:
    return sizeof(pthread_barrier_t);
  default:
    return sizeof(int);
  }
}

static bool is_in_page(const struct process *process, uint64_t page, uint64_t address) {
  for (uint32_t i = map_get(&process->pages, page); i != MAP_NONE; i = process->places.items[i].next) {
    const struct place *place = &process->places.items[i];
    if (place->address <= address && address - place->address < size_of_family(place->object->family))
      return true;
  }
  return false;
}

bool process_has_object_around(const struct process *process, uint64_t address) {
  uint64_t page = address >> PAGE_SHIFT;
  return is_in_page(process, page, address) || is_in_page(process, page - 1, address) ||
         is_in_page(process, key_of_address(SNARLI_LOCK, address) >> PAGE_SHIFT, key_of_address(SNARLI_LOCK, address));
}
