/* SPDX-License-Identifier: MIT
 *
 * Abstract acquires (see dependencies.h). One thread per value.
 */
#include "dependencies.h"
#include <string.h>

void dependencies_init(struct dependencies *deps, struct arena *arena, struct model *model) {
  *deps = (struct dependencies){.arena = arena, .model = model};
  locksets_init(&deps->sets, arena);
}

bool is_dependency(const struct event *event) {
  if (!event->wants || event->thread->holds.count <= (event->took ? 1u : 0u) || !event->object ||
      !is_lock(event->object))
    return false;
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
  for (size_t i = 0; i < event->thread->holds.count; i++) {
    const struct hold *hold = &event->thread->holds.items[i];
    if (hold->object == event->object || !is_lock(hold->object))
      continue;
    if (deps->is_second && map_get(&deps->locks, hold->object->serial) == MAP_NONE)
      continue;
    vector_push(deps->arena, &deps->members) = lockset_member(hold->object->serial, hold->is_write);
  }
  return (uint32_t)deps->members.count;
}

#define SINGLE 0x80000000u /* a set of one stands for itself in keys, so that it need not be looked up */

static uint64_t key_of(const struct lockset *held, uint32_t wanted) {
  uint32_t set = held->count == 1 ? SINGLE | held->members[0] : held->id;
  return (uint64_t)set << 32 | wanted;
}

static struct map *map_of_thread(struct dependencies *deps, uint32_t serial) {
  uint32_t place = map_get(&deps->threads, serial);
  return place == MAP_NONE ? NULL : &deps->by_thread.items[place];
}

/* The same, remembered in the thread. */
static struct map *map_of(struct dependencies *deps, struct thread *thread) {
  if (!thread->dependencies) {
    uint32_t place = map_get(&deps->threads, thread->serial);
    thread->dependencies = place == MAP_NONE ? 0 : place + 1;
  }
  return thread->dependencies ? &deps->by_thread.items[thread->dependencies - 1] : NULL;
}

static struct dependency *find_key(struct dependencies *deps, const struct map *map, uint64_t key, uint8_t want) {
  uint32_t place = map ? map_get(map, key) : MAP_NONE;
  while (place != MAP_NONE && deps->all.items[place]->want != want)
    place = deps->all.items[place]->next;
  return place == MAP_NONE ? NULL : deps->all.items[place];
}

static struct dependency *find(struct dependencies *deps, uint32_t thread, const struct lockset *held, uint32_t wanted,
                               uint8_t want) {
  return find_key(deps, map_of_thread(deps, thread), key_of(held, wanted), want);
}

/* The dependency of this event; if there is none yet, `held` gets its lockset, else NULL. */
static struct dependency *find_event(struct dependencies *deps, const struct event *event, struct lockset **held) {
  uint32_t count = gather(deps, event);
  *held = NULL;
  if (!count)
    return NULL;
  const struct map *map = map_of(deps, event->thread);
  if (count == 1) {
    uint64_t key = (uint64_t)(SINGLE | deps->members.items[0]) << 32 | event->object->serial;
    struct dependency *dep = find_key(deps, map, key, want_of(event));
    if (dep)
      return dep;
  }
  *held = lockset_get(&deps->sets, deps->members.items, count);
  struct dependency *dep = find_key(deps, map, key_of(*held, event->object->serial), want_of(event));
  if (!dep)
    return NULL;
  lockset_put(&deps->sets, *held);
  *held = NULL;
  return dep;
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

/* Takes over the reference to `held`. */
static struct dependency *add(struct dependencies *deps, struct thread *thread, struct lockset *held,
                              struct object *wanted, uint8_t want) {
  struct dependency *dep = arena_resize(deps->arena, NULL, sizeof *dep);
  *dep = (struct dependency){.thread = thread, .wanted = wanted, .held = held, .want = want};
  dep->objects = arena_resize(deps->arena, NULL, held->count * sizeof(struct object *));
  dep->first_held = arena_resize(deps->arena, NULL, held->count * sizeof *dep->first_held);
  dep->places = arena_resize(deps->arena, NULL, (held->count + 1) * sizeof *dep->places);
  if (deps->free_places.count) {
    dep->place = deps->free_places.items[--deps->free_places.count];
  } else {
    dep->place = (uint32_t)deps->all.count;
    vector_push(deps->arena, &deps->all) = NULL;
  }
  deps->all.items[dep->place] = dep;
  thread->pins++;
  struct map *map = map_made_for(deps, thread->serial);
  dep->next = map_get(map, key_of(held, wanted->serial));
  map_put(deps->arena, map, key_of(held, wanted->serial), dep->place);
  return dep;
}

static void find_objects(struct dependency *dep, const struct thread *thread) {
  for (uint32_t m = 0; m < dep->held->count; m++)
    for (size_t i = 0; i < thread->holds.count; i++)
      if (thread->holds.items[i].object->serial == lockset_lock(dep->held->members[m]))
        dep->objects[m] = thread->holds.items[i].object;
}

void dependencies_step(struct dependencies *deps, const struct event *event) {
  if (!is_dependency(event))
    return;
  struct lockset *held;
  struct dependency *dep = find_event(deps, event, &held);
  if (dep)
    dep->count++;
  if (!held)
    return;
  dep = add(deps, event->thread, held, event->object, want_of(event));
  dep->count = 1;
  dep->first = (struct origin){event->process->index, event->record->aux, event->record->time, event->thread->serial};
  dependency_origins(held, event->thread, dep->first_held);
  find_objects(dep, event->thread);
  list(deps, dep);
}

struct dependency *dependencies_again(struct dependencies *deps, const struct event *event) {
  if (!is_dependency(event) || !map_of(deps, event->thread))
    return NULL;
  struct lockset *held;
  struct dependency *dep = find_event(deps, event, &held);
  if (held)
    lockset_put(&deps->sets, held);
  return dep;
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
  uint64_t key = key_of(dep->held, dep->wanted->serial);
  uint32_t place = map_get(map, key);
  if (place == dep->place) {
    map_remove(map, key);
    if (dep->next != MAP_NONE)
      map_put(deps->arena, map, key, dep->next);
    if (map->count)
      return;
    map_free(deps->arena, map);
    dep->thread->dependencies = 0;
    vector_push(deps->arena, &deps->free_maps) = map_get(&deps->threads, dep->thread->serial);
    map_remove(&deps->threads, dep->thread->serial);
    return;
  }
  while (deps->all.items[place]->next != dep->place)
    place = deps->all.items[place]->next;
  deps->all.items[place]->next = dep->next;
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
  arena_release(deps->arena, dep->objects);
  arena_release(deps->arena, dep->first_held);
  arena_release(deps->arena, dep->places);
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

/* The dependency without this member of its lockset. */
static void strip(struct dependencies *deps, struct dependency *dep, uint32_t member, object_list *again) {
  uint32_t kept = 0, count = dep->held->count;
  deps->members.count = 0;
  for (uint32_t m = 0; m < count; m++)
    if (m != member)
      vector_push(deps->arena, &deps->members) = dep->held->members[m];
  if (count > 1) {
    struct lockset *held = lockset_get(&deps->sets, deps->members.items, count - 1);
    struct dependency *other = find(deps, dep->thread->serial, held, dep->wanted->serial, dep->want);
    if (other) {
      lockset_put(&deps->sets, held);
      other->count += dep->count;
    } else {
      other = add(deps, dep->thread, held, dep->wanted, dep->want);
      other->count = dep->count;
      other->first = dep->first;
      for (uint32_t m = 0; m < count; m++)
        if (m != member) {
          other->objects[kept] = dep->objects[m];
          other->first_held[kept++] = dep->first_held[m];
        }
      list(deps, other);
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
    strip(deps, deps->all.items[item >> 32], (uint32_t)item, again);
  }
}

void dependencies_forget(void *context, struct object *object) {
  struct dependencies *deps = context;
  if (object->family == SNARLI_SEM && object->is_gone && (object->has_posters || object->has_acquirers))
    map_put(deps->arena, &deps->mixed_sems, object->serial,
            (uint32_t)object->has_posters | (uint32_t)object->has_acquirers << 1);
  if (!lists_if_any(deps, object))
    return;
  object_list again = {0};
  vector_push(deps->arena, &again) = object;
  object->pins++;
  if (object->is_doubted || (object->family == SNARLI_SEM && object->role != SEM_LOCK))
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
