/* SPDX-License-Identifier: MIT
 *
 * Synchronization objects and their identity: of private memory, process, address and generation; of shared memory,
 * device, inode, offset and generation, the same from every process. One thread per model.
 */
#include "parts.h"

static uint64_t identity_hash(uint64_t device, uint64_t inode, uint64_t offset) {
  return map_mix(map_mix(map_mix(device) ^ inode) ^ offset);
}

struct object *object_new(struct model *model, struct process *process, uint64_t address, enum snarli_family family) {
  struct object *object = model->spare_objects.count ? model->spare_objects.items[--model->spare_objects.count]
                                                     : arena_alloc(model->arena, sizeof *object);
  object->serial = ++model->object_serials;
  object->process = process;
  object->address = address;
  object->family = family;
  object->hash_next = MAP_NONE;
  if (model->free_objects.count) {
    object->place = model->free_objects.items[--model->free_objects.count];
  } else {
    object->place = (uint32_t)model->objects.count;
    vector_push(model->arena, &model->objects) = NULL;
  }
  model->objects.items[object->place] = object;
  return object;
}

void object_adopt(struct model *model, struct object *object) {
  struct thread *thread = object->orphaned_by;
  object->orphaned_by = NULL;
  if (thread)
    thread_unpin(model, thread);
}

static void object_drop(struct model *model, struct object *object) {
  if (model->drop_object)
    model->drop_object(model->context, object);
  model->objects.items[object->place] = NULL;
  vector_push(model->arena, &model->free_objects) = object->place;
  object_adopt(model, object);
  struct object empty = {.holders = object->holders};
  empty.holders.count = 0;
  *object = empty;
  vector_push(model->arena, &model->spare_objects) = object;
}

void object_unpin(struct model *model, struct object *object) {
  if (!--object->pins && object->is_gone)
    object_drop(model, object);
}

void holds_clear(struct object *object) {
  while (object->holders.count)
    hold_drop(object->holders.items[object->holders.count - 1], object);
}

void object_forget(struct model *model, struct object *object) {
  holds_clear(object);
  if (model->forget)
    model->forget(model->context, object);
}

void object_doubt(struct model *model, struct object *object) {
  if (object->file)
    file_doubt(model, object->file);
  if (object->is_doubted)
    return;
  object->is_doubted = true;
  object->role = object->family == SNARLI_SEM ? SEM_UNKNOWN : object->role;
  object_forget(model, object);
}

static void unlink_shared(struct model *model, struct object *object) {
  uint64_t hash = identity_hash(object->device, object->inode, object->offset);
  uint32_t first = map_get(&model->shared, hash);
  if (first == object->place) {
    map_remove(&model->shared, hash);
    if (object->hash_next != MAP_NONE)
      map_put(model->arena, &model->shared, hash, object->hash_next);
    return;
  }
  while (first != MAP_NONE && model->objects.items[first]->hash_next != object->place)
    first = model->objects.items[first]->hash_next;
  if (first != MAP_NONE)
    model->objects.items[first]->hash_next = object->hash_next;
}

/* The object's life ends: its memory is destroyed or becomes something else. */
void object_retire(struct model *model, struct object *object) {
  object->pins++; /* until the end of this function */
  object->is_gone = true;
  if (object->runner)
    object->runner->runs_once--;
  object->runner = NULL;
  if (object->is_shared)
    unlink_shared(model, object);
  else if (object->family != SNARLI_CHANNEL)
    object_leave(model, object->process, object->address);
  object_forget(model, object);
  object_unpin(model, object);
}

struct object *object_with_identity(const struct model *model, uint64_t device, uint64_t inode, uint64_t offset) {
  uint32_t i = map_get(&model->shared, identity_hash(device, inode, offset));
  while (i != MAP_NONE) {
    struct object *object = model->objects.items[i];
    if (object->device == device && object->inode == inode && object->offset == offset)
      return object;
    i = object->hash_next;
  }
  return NULL;
}

static struct object *shared_find(struct model *model, const struct trace_mapping *mapping, uint64_t address) {
  return object_with_identity(model, mapping->device, mapping->inode, mapping->offset + (address - mapping->lo));
}

static void identify(struct model *model, struct object *object, uint64_t device, uint64_t inode, uint64_t offset) {
  object->is_shared = true;
  object->device = device;
  object->inode = inode;
  object->offset = offset;
  uint64_t hash = identity_hash(object->device, object->inode, object->offset);
  object->hash_next = map_get(&model->shared, hash);
  map_put(model->arena, &model->shared, hash, object->place);
}

static void shared_add(struct model *model, struct object *object, const struct trace_mapping *mapping) {
  identify(model, object, mapping->device, mapping->inode, mapping->offset + (object->address - mapping->lo));
}

struct object *object_of_identity(struct model *model, const struct event *event, enum snarli_family family,
                                  uint64_t device, uint64_t inode, uint64_t offset) {
  struct object *object = object_with_identity(model, device, inode, offset);
  if (object && object->family == family)
    return object;
  if (object) /* memory on a device that cannot be */
    object_retire(model, object);
  object = object_new(model, event->process, 0, family);
  object->created = origin_of(event);
  object->is_used = true;
  identify(model, object, device, inode, offset);
  return object;
}

/* What is at this address is not what was there when the process's shared memory was different. */
static struct object *verify(struct model *model, struct process *process, struct place *place, uint64_t address,
                             const struct trace_mapping *mapping) {
  struct object *object = place->object;
  bool is_same = mapping ? object->is_shared && object == shared_find(model, mapping, address) : !object->is_shared;
  place->version = (uint32_t)process->changes_seen;
  if (is_same)
    return object;
  if (object->is_shared)
    object_leave(model, process, address);
  else
    object_retire(model, object);
  return NULL;
}

static const struct trace_mapping *mapping_at(struct model *model, struct process *process, uint64_t address,
                                              uint64_t time) {
  while (process->changes_seen < process->change_count && process->changes[process->changes_seen] <= time)
    process->changes_seen++;
  return process->change_count ? trace_mapping_of(model->trace, process->index, address & ADDRESS_OF_KEY, time) : NULL;
}

static struct object *find_slowly(struct model *model, struct process *process, uint64_t address, uint64_t time) {
  struct place *place = place_at(process, address);
  bool is_settled = process->changes_seen == process->change_count || process->changes[process->changes_seen] > time;
  if (place && place->object->serial == place->serial && !place->object->is_gone) {
    if (is_settled && place->version == process->changes_seen)
      return place->object;
    struct object *object = verify(model, process, place, address, mapping_at(model, process, address, time));
    if (object)
      return object;
  } else if (place) {
    object_leave(model, process, address);
  }
  const struct trace_mapping *mapping = mapping_at(model, process, address, time);
  struct object *object = mapping ? shared_find(model, mapping, address) : NULL;
  if (object)
    object_put(model, process, address, object);
  return object;
}

/* A place that was found lately is still right while its object lives and the process's memory has not changed. */
struct object *object_find(struct model *model, struct process *process, uint64_t address, uint64_t time) {
  bool is_settled = process->changes_seen == process->change_count || process->changes[process->changes_seen] > time;
  if (!process->recent)
    process->recent = arena_alloc(model->arena, RECENT_OBJECTS * sizeof *process->recent);
  struct recent *recent = &process->recent[place_recent_slot(address)];
  struct object *object = recent->place.object;
  if (object && recent->address == address && is_settled && recent->place.version == process->changes_seen &&
      object->serial == recent->place.serial && !object->is_gone)
    return object;
  object = find_slowly(model, process, address, time);
  if (object)
    *recent = (struct recent){address,
                              {.object = object, .serial = object->serial, .version = (uint32_t)process->changes_seen}};
  return object;
}

struct object *object_copy(struct model *model, struct process *process, const struct object *original) {
  const struct place *place = place_at(process, original->address);
  if (place && place->object->serial == place->serial && place->object->process == process && !place->object->is_gone)
    return place->object; /* of several holders the first was here before */
  struct object *copy = object_new(model, process, original->address, original->family);
  copy->generation = original->generation;
  copy->type = original->type;
  copy->kind = original->kind;
  copy->has_type = original->has_type;
  copy->created = original->created;
  copy->name = original->name;
  copy->needed = original->needed;
  copy->role = original->role;
  copy->first_value = original->first_value;
  copy->has_value = original->role == SEM_LOCK; /* a lock is free or held; any other value is unknown */
  copy->value = original->holders.count ? 0 : 1;
  copy->is_used = true;
  object_put(model, process, original->address, copy);
  return copy;
}

/* The parent's object that a forked child's memory holds a copy of. Whether it was free at the fork is not looked up:
 * what was held has been copied then. */
static struct object *inherited(struct model *model, struct process *process, uint64_t address,
                                enum snarli_family family) {
  struct process *parent = process->parent;
  if (map_get(&process->freed, address) != MAP_NONE)
    return NULL;
  for (uint32_t steps = 0; process->info->forked && process->forker && parent && steps < model->process_count;
       steps++) {
    struct place *place = place_at(parent, address);
    struct object *object =
        place && place->object->serial == place->serial && !place->object->is_gone ? place->object : NULL;
    if (object)
      return object->family == family && !object->is_shared && object->created.time <= process->forked_at.time ? object
                                                                                                               : NULL;
    if (!parent->info->forked || map_get(&parent->freed, address) != MAP_NONE)
      return NULL;
    parent = parent->parent;
  }
  return NULL;
}

static struct object *make(struct model *model, struct process *process, uint64_t address, enum snarli_family family,
                           const struct trace_record *record) {
  const struct trace_mapping *mapping = mapping_at(model, process, address, record->time);
  struct object *original = mapping ? NULL : inherited(model, process, address, family);
  if (original) {
    struct object *copy = object_copy(model, process, original);
    copy->value = 1;                                                               /* see inherited() */
    if (original->is_doubted || family == SNARLI_QUEUE || family == SNARLI_FUTURE) /* its content is not followed */
      object_doubt(model, copy);
    return copy;
  }
  struct object *object = object_new(model, process, address, family);
  bool has_stack = trace_record_info(record->type)->aux == SNARLI_AUX_STACK;
  object->created = (struct origin){process->index, has_stack ? record->aux : 0, record->time, 0};
  if (mapping)
    shared_add(model, object, mapping);
  object_put(model, process, address, object);
  return object;
}

struct object *object_at(struct model *model, struct process *process, uint64_t address, enum snarli_family family,
                         const struct trace_record *record) {
  struct object *object = object_find(model, process, address, record->time);
  if (object && object->family != family) { /* the memory was used again */
    object_retire(model, object);
    object = NULL;
  }
  if (!object)
    object = make(model, process, address, family, record);
  object->is_used = true;
  return object;
}

struct object *object_renew(struct model *model, struct process *process, uint64_t address, enum snarli_family family,
                            const struct trace_record *record) {
  struct object *old = object_find(model, process, address, record->time);
  uint32_t generation = old ? old->generation + 1 : 0;
  if (old)
    object_retire(model, old);
  struct object *object = object_new(model, process, address, family);
  object->generation = generation;
  object->created = (struct origin){process->index, record->aux, record->time, 0};
  const struct trace_mapping *mapping = mapping_at(model, process, address, record->time);
  if (mapping)
    shared_add(model, object, mapping);
  object_put(model, process, address, object);
  return object;
}
