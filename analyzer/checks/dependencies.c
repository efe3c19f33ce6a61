/* SPDX-License-Identifier: MIT
 *
 * Abstract acquires (see dependencies.h). One thread per value.
 */
#include "dependencies.h"
#include <string.h>

/* Keys of dependencies hold the wanted object's serial and how it is wanted in 32 bits. */
#define WANT_BITS 3u
#define WANTED_MOST (1u << (32 - WANT_BITS))

void dependencies_init(struct dependencies *deps, struct arena *arena, struct model *model) {
  *deps = (struct dependencies){.arena = arena, .model = model};
  locksets_init(&deps->sets, arena);
}

/* Is this event, by a thread that holds locks, a dependency at all? */
static bool is_dependency(struct dependencies *deps, const struct event *event) {
  if (!event->wants || event->thread->holds.count <= (event->took ? 1u : 0u) || !event->object ||
      !is_lock(event->object))
    return false;
  if (event->object->serial >= WANTED_MOST) {
    deps->were_too_many = true;
    return false;
  }
  if (event->is_try && event->object->family != SNARLI_SEM)
    return false;
  return event->took || !thread_hold(event->thread, event->object); /* taking again what one holds orders nothing */
}

static uint8_t want_of(const struct event *event) {
  return (uint8_t)((event->is_write ? WANT_WRITE : 0) | (event->is_timed ? WANT_TIMED : 0) |
                   (event->is_try ? WANT_TRY : 0));
}

/* Gathers the locks held besides the wanted one in deps->members; how many there are. */
static uint32_t gather(struct dependencies *deps, const struct event *event) {
  deps->members.count = 0;
  size_t held = event->thread->holds.count;
  if (event->is_together && event->thread->held_before < held)
    held = event->thread->held_before;
  for (size_t i = 0; i < held; i++) {
    const struct hold *hold = &event->thread->holds.items[i];
    if (hold->object->file && hold->object->file->is_vague) { /* it may exclude who knows what */
      deps->members.count = 0;
      break;
    }
    if (hold->object == event->object || !is_lock(hold->object))
      continue;
    if (deps->is_second && map_get(&deps->locks, hold->object->serial) == MAP_NONE)
      continue;
    vector_push(deps->arena, &deps->members) = lockset_member(hold->object->serial, hold->is_write);
  }
  return (uint32_t)deps->members.count;
}

/* A set of one stands for itself in keys, so that it need not be looked up. */
#define SINGLE 0x80000000u

static uint64_t key_of(uint32_t set, uint32_t wanted, uint8_t want) {
  return (uint64_t)set << 32 | wanted << WANT_BITS | want;
}

static uint64_t key_of_set(const struct lockset *held, uint32_t wanted, uint8_t want) {
  return key_of(held->count == 1 ? SINGLE | held->members[0] : held->id, wanted, want);
}

static uint64_t key_of_dependency(const struct dependency *dep) {
  return key_of_set(dep->held, dep->wanted->serial, dep->want);
}

static struct map *map_of_thread(struct dependencies *deps, uint32_t serial) {
  uint32_t place = map_get(&deps->threads, serial);
  return place == MAP_NONE ? NULL : &deps->by_thread.items[place];
}

/* The same, remembered in the thread; that there is none, only once no more are made. */
static struct map *map_of(struct dependencies *deps, struct thread *thread) {
  if (!thread->dependencies) {
    uint32_t place = map_get(&deps->threads, thread->serial);
    thread->dependencies = place != MAP_NONE ? place + 1 : deps->is_second ? MAP_NONE : 0;
  }
  bool has_map = thread->dependencies && thread->dependencies != MAP_NONE;
  return has_map ? &deps->by_thread.items[thread->dependencies - 1] : NULL;
}

/* The entry of this event in its thread's map; if there is none, `held` gets its lockset, else NULL. */
static struct map_entry *find_event(struct dependencies *deps, const struct map *map, const struct event *event,
                                    struct lockset **held) {
  uint32_t count = gather(deps, event), wanted = event->object->serial;
  uint8_t want = want_of(event);
  struct map_entry *entry;
  *held = NULL;
  if (!count)
    return NULL;
  if (count == 1 && map && (entry = map_find(map, key_of(SINGLE | deps->members.items[0], wanted, want))))
    return entry;
  *held = lockset_get(&deps->sets, deps->members.items, count);
  if (!map || count == 1 || !(entry = map_find(map, key_of((*held)->id, wanted, want))))
    return NULL;
  lockset_put(&deps->sets, *held);
  *held = NULL;
  return entry;
}

void dependency_origins(const struct lockset *held, const struct thread *thread, struct origin *origins) {
  for (uint32_t m = 0; m < held->count; m++)
    for (size_t i = 0; i < thread->holds.count; i++)
      if (thread->holds.items[i].object->serial == lockset_lock(held->members[m]))
        origins[m] = thread->holds.items[i].taken;
}

static uint32_t lists_of(struct dependencies *deps, struct object *object) {
  uint32_t place = map_get(&deps->locks, object->serial);
  if (place != MAP_NONE)
    return place;
  if (deps->free_lists.count) {
    place = deps->free_lists.items[--deps->free_lists.count];
  } else {
    place = (uint32_t)deps->lists.count;
    (void)vector_push(deps->arena, &deps->lists);
  }
  deps->lists.items[place] = (struct lock_lists){.object = object};
  map_put(deps->arena, &deps->locks, object->serial, place);
  object->pins++;
  return place;
}

static void list(struct dependencies *deps, struct dependency *dep) {
  uint32_t place = lists_of(deps, dep->wanted); /* first: it may move the items */
  struct lock_lists *lists = &deps->lists.items[place];
  dep->places[0] = (uint32_t)lists->wanted.count;
  vector_push(deps->arena, &lists->wanted) = dep->place;
  for (uint32_t m = 0; m < dep->held->count; m++) {
    place = lists_of(deps, dep->objects[m]);
    lists = &deps->lists.items[place];
    dep->places[m + 1] = (uint32_t)lists->held.count;
    vector_push(deps->arena, &lists->held) = (uint64_t)dep->place << 32 | m;
  }
}

static struct map *map_made_for(struct dependencies *deps, uint32_t serial) {
  struct map *map = map_of_thread(deps, serial);
  if (map)
    return map;
  uint32_t place = (uint32_t)deps->by_thread.count;
  if (deps->free_maps.count)
    place = deps->free_maps.items[--deps->free_maps.count];
  else
    vector_push(deps->arena, &deps->by_thread) = (struct map){0};
  map_put(deps->arena, &deps->threads, serial, place);
  return &deps->by_thread.items[place];
}

/* One piece of memory for all that belongs to a dependency. */
static struct dependency *dependency_new(struct dependencies *deps, uint32_t members) {
  size_t origins = members * sizeof(struct origin), objects = members * sizeof(struct object *);
  size_t places = (members + 1) * sizeof(uint32_t);
  struct dependency *dep = arena_resize(deps->arena, NULL, sizeof *dep + origins + objects + places);
  *dep = (struct dependency){.first_held = (struct origin *)(dep + 1)};
  dep->objects = (struct object **)(dep->first_held + members);
  dep->places = (uint32_t *)(dep->objects + members);
  return dep;
}

static uint32_t place_new(struct dependencies *deps, struct dependency *dep) {
  uint32_t place = (uint32_t)deps->all.count;
  if (deps->free_places.count)
    place = deps->free_places.items[--deps->free_places.count];
  else
    vector_push(deps->arena, &deps->all) = NULL;
  deps->all.items[place] = dep;
  return place;
}

/* Takes over the reference to `held`. Its entry in the thread's map; count it there. */
static struct map_entry *add(struct dependencies *deps, struct thread *thread, struct lockset *held,
                             struct object *wanted, uint8_t want) {
  struct dependency *dep = dependency_new(deps, held->count);
  dep->thread = thread;
  dep->wanted = wanted;
  dep->held = held;
  dep->want = want;
  dep->place = place_new(deps, dep);
  thread->pins++;
  struct map *map = map_made_for(deps, thread->serial);
  map_put(deps->arena, map, key_of_dependency(dep), dep->place);
  return map_find(map, key_of_dependency(dep));
}

/* How often a dependency was seen is kept where it is found. */
static void count_add(struct map_entry *entry, uint32_t count) {
  entry->note = entry->note > UINT32_MAX - count ? UINT32_MAX : entry->note + count;
}

static void find_objects(struct dependency *dep, const struct thread *thread) {
  for (uint32_t m = 0; m < dep->held->count; m++)
    for (size_t i = 0; i < thread->holds.count; i++)
      if (thread->holds.items[i].object->serial == lockset_lock(dep->held->members[m]))
        dep->objects[m] = thread->holds.items[i].object;
}

/* Who runs the fiber, if it was not left since it took the first of what it holds. */
static uint32_t carrier_of(const struct thread *thread) {
  for (size_t i = 0; i < thread->holds.count; i++)
    if (thread->holds.items[i].was_left)
      return 0;
  return thread->carrier ? thread->carrier : thread->serial;
}

void dependencies_step(struct dependencies *deps, const struct event *event) {
  struct lockset *held;
  if (!is_dependency(deps, event))
    return;
  struct map_entry *entry = find_event(deps, map_of(deps, event->thread), event, &held);
  if (held)
    entry = add(deps, event->thread, held, event->object, want_of(event));
  if (!entry)
    return;
  count_add(entry, 1);
  if (!held) {
    if (event->thread->has_fibers && deps->all.items[entry->value]->carrier != carrier_of(event->thread))
      deps->all.items[entry->value]->carrier = 0;
    return;
  }
  struct dependency *dep = deps->all.items[entry->value];
  dep->carrier = carrier_of(event->thread);
  dep->first = (struct origin){event->process->index, event->record->aux, event->record->time, event->thread->serial};
  dependency_origins(held, event->thread, dep->first_held);
  find_objects(dep, event->thread);
  list(deps, dep);
}

void dependencies_settle(struct dependencies *deps) {
  for (size_t t = 0; t < deps->by_thread.count; t++)
    for (size_t i = 0; i < deps->by_thread.items[t].room; i++) {
      const struct map_entry *entry = &deps->by_thread.items[t].entries[i];
      if (entry->value != MAP_NONE)
        deps->all.items[entry->value]->count = entry->note;
    }
}

/* The map of what the second replay looks for, which is small and fits a cache. */
static struct map map_of_candidates(struct dependencies *deps, const struct map *map) {
  struct map kept = {0};
  for (size_t i = 0; i < map->room; i++)
    if (map->entries[i].value != MAP_NONE && deps->all.items[map->entries[i].value]->is_candidate)
      map_put(deps->arena, &kept, map->entries[i].key, map->entries[i].value);
  return kept;
}

void dependencies_begin_second(struct dependencies *deps) {
  deps->is_second = true;
  for (size_t t = 0; t < deps->by_thread.count; t++) {
    struct map kept = map_of_candidates(deps, &deps->by_thread.items[t]);
    map_free(deps->arena, &deps->by_thread.items[t]);
    deps->by_thread.items[t] = kept;
  }
}

void dependencies_ignore(struct dependencies *deps, struct dependency *dep) {
  struct map *map = map_of_thread(deps, dep->thread->serial);
  dep->is_candidate = false;
  if (map)
    map_remove(map, key_of_dependency(dep));
}

struct dependency *dependencies_again(struct dependencies *deps, const struct event *event, uint32_t moment) {
  struct lockset *held;
  struct map *map = is_dependency(deps, event) ? map_of(deps, event->thread) : NULL;
  if (!map || !map->count)
    return NULL;
  struct map_entry *entry = find_event(deps, map, event, &held);
  if (held)
    lockset_put(&deps->sets, held);
  if (!entry || entry->note == moment)
    return NULL;
  entry->note = moment;
  return deps->all.items[entry->value];
}

static void unlist_wanted(struct dependencies *deps, struct dependency *dep) {
  uint32_t place = lists_of(deps, dep->wanted); /* first: it may move the items */
  struct lock_lists *lists = &deps->lists.items[place];
  uint32_t moved = lists->wanted.items[--lists->wanted.count];
  lists->wanted.items[dep->places[0]] = moved;
  deps->all.items[moved]->places[0] = dep->places[0];
}

static void unlist_held(struct dependencies *deps, struct dependency *dep, uint32_t m) {
  uint32_t list = lists_of(deps, dep->objects[m]);
  struct lock_lists *lists = &deps->lists.items[list];
  uint64_t moved = lists->held.items[--lists->held.count];
  lists->held.items[dep->places[m + 1]] = moved;
  deps->all.items[moved >> 32]->places[(uint32_t)moved + 1] = dep->places[m + 1];
}

static void unmap(struct dependencies *deps, struct dependency *dep) {
  struct map *map = map_of_thread(deps, dep->thread->serial);
  map_remove(map, key_of_dependency(dep));
  if (map->count)
    return;
  map_free(deps->arena, map);
  dep->thread->dependencies = 0;
  vector_push(deps->arena, &deps->free_maps) = map_get(&deps->threads, dep->thread->serial);
  map_remove(&deps->threads, dep->thread->serial);
}

/* Unlists and frees it; the locks' lists stay, empty or not. */
static void drop(struct dependencies *deps, struct dependency *dep) {
  unmap(deps, dep);
  unlist_wanted(deps, dep);
  for (uint32_t m = 0; m < dep->held->count; m++)
    unlist_held(deps, dep, m);
  deps->all.items[dep->place] = NULL;
  vector_push(deps->arena, &deps->free_places) = dep->place;
  lockset_put(&deps->sets, dep->held);
  thread_unpin(deps->model, dep->thread);
  arena_release(deps->arena, dep);
}

static struct lock_lists *lists_if_any(struct dependencies *deps, const struct object *object) {
  uint32_t place = map_get(&deps->locks, object->serial);
  return place == MAP_NONE ? NULL : &deps->lists.items[place];
}

/* May a cycle still come in through one of the held locks and go out through the wanted one? */
static bool is_useful(struct dependencies *deps, const struct dependency *dep) {
  if (dep->wanted->is_gone && !lists_if_any(deps, dep->wanted)->held.count)
    return false;
  for (uint32_t m = 0; m < dep->held->count; m++)
    if (!dep->objects[m]->is_gone || lists_if_any(deps, dep->objects[m])->wanted.count)
      return true;
  return false;
}

static void free_if_empty(struct dependencies *deps, struct object *object) {
  uint32_t place = map_get(&deps->locks, object->serial);
  if (place == MAP_NONE || deps->lists.items[place].wanted.count || deps->lists.items[place].held.count)
    return;
  vector_free(deps->arena, &deps->lists.items[place].wanted);
  vector_free(deps->arena, &deps->lists.items[place].held);
  map_remove(&deps->locks, object->serial);
  vector_push(deps->arena, &deps->free_lists) = place;
  object_unpin(deps->model, object);
}

typedef VECTOR(struct object *) object_list;

/* Drops it; the locks that lost a dependency are to be looked at again. */
static void drop_and_note(struct dependencies *deps, struct dependency *dep, object_list *again) {
  vector_push(deps->arena, again) = dep->wanted;
  dep->wanted->pins++;
  for (uint32_t m = 0; m < dep->held->count; m++) {
    vector_push(deps->arena, again) = dep->objects[m];
    dep->objects[m]->pins++;
  }
  drop(deps, dep);
}

static void prune(struct dependencies *deps, struct object *object, object_list *again) {
  struct lock_lists *lists = lists_if_any(deps, object);
  for (size_t i = lists ? lists->wanted.count : 0; i--;)
    if (!is_useful(deps, deps->all.items[lists->wanted.items[i]]))
      drop_and_note(deps, deps->all.items[lists->wanted.items[i]], again);
  for (size_t i = lists ? lists->held.count : 0; i--;)
    if (!is_useful(deps, deps->all.items[lists->held.items[i] >> 32]))
      drop_and_note(deps, deps->all.items[lists->held.items[i] >> 32], again);
}

static void copy_without(struct dependencies *deps, struct dependency *to, const struct dependency *from,
                         uint32_t member) {
  uint32_t kept = 0;
  to->first = from->first;
  for (uint32_t m = 0; m < from->held->count; m++) {
    if (m == member)
      continue;
    to->objects[kept] = from->objects[m];
    to->first_held[kept++] = from->first_held[m];
  }
  list(deps, to);
}

/* The dependency without this member of its lockset. */
static void strip(struct dependencies *deps, struct dependency *dep, uint32_t member, object_list *again) {
  const struct map *map = map_of_thread(deps, dep->thread->serial);
  uint32_t seen = map_find(map, key_of_dependency(dep))->note;
  deps->members.count = 0;
  for (uint32_t m = 0; m < dep->held->count; m++)
    if (m != member)
      vector_push(deps->arena, &deps->members) = dep->held->members[m];
  if (deps->members.count) {
    struct lockset *held = lockset_get(&deps->sets, deps->members.items, (uint32_t)deps->members.count);
    struct map_entry *other = map_find(map, key_of_set(held, dep->wanted->serial, dep->want));
    if (other) {
      lockset_put(&deps->sets, held);
      count_add(other, seen);
    } else {
      other = add(deps, dep->thread, held, dep->wanted, dep->want);
      count_add(other, seen);
      copy_without(deps, deps->all.items[other->value], dep, member);
    }
  }
  drop_and_note(deps, dep, again);
}

static void remove_stranger(struct dependencies *deps, struct object *object, object_list *again) {
  struct lock_lists *lists;
  while ((lists = lists_if_any(deps, object)) && lists->wanted.count)
    drop_and_note(deps, deps->all.items[lists->wanted.items[lists->wanted.count - 1]], again);
  while ((lists = lists_if_any(deps, object)) && lists->held.count) {
    uint64_t item = lists->held.items[lists->held.count - 1];
    if (object->file)
      drop_and_note(deps, deps->all.items[item >> 32], again);
    else
      strip(deps, deps->all.items[item >> 32], (uint32_t)item, again);
  }
}

void dependencies_forget(void *context, struct object *object) {
  struct dependencies *deps = context;
  bool is_order = object->family == SNARLI_SEM || object->family == SNARLI_ORDER || object->family == SNARLI_CHANNEL;
  if (is_order && object->is_gone && (object->has_posters || object->has_acquirers))
    map_put(deps->arena, &deps->mixed_sems, object->serial,
            (uint32_t)object->has_posters | (uint32_t)object->has_acquirers << 1);
  if (!lists_if_any(deps, object))
    return;
  object_list again = {0};
  vector_push(deps->arena, &again) = object;
  object->pins++;
  if (object->is_doubted || (object->file && object->file->is_vague) ||
      (object->family == SNARLI_SEM && object->role != SEM_LOCK))
    remove_stranger(deps, object, &again);
  for (size_t i = 0; i < again.count; i++) {
    struct object *next = again.items[i];
    if (next->is_gone)
      prune(deps, next, &again);
    free_if_empty(deps, next);
    object_unpin(deps->model, next);
  }
  vector_free(deps->arena, &again);
}
