/* SPDX-License-Identifier: MIT
 *
 * Locks on files: who holds which bytes, through which open file description or as which process (see file.h). One
 * thread per model.
 */
#include "file.h"
#include "file_string.h"
#include "parts.h"
#include <string.h>

#define RANGE_DEVICE (1ull << 63) /* no device of real memory */

static uint64_t owner_name(const struct file_string *string, const struct process *process) {
  return string->is_process ? map_mix(~(uint64_t)process->first->index) : string->owner;
}

static struct file_owner *owner_find(const struct model *model, uint64_t name) {
  uint32_t place = map_get(&model->files.by_name, name);
  return place == MAP_NONE ? NULL : &model->files.owners.items[place];
}

const struct file_owner *file_owner_of(const struct model *model, const struct file_hold *hold) {
  return owner_find(model, hold->owner);
}

static void share(struct model *model, struct file_owner *owner, struct process *process) {
  for (size_t i = 0; i < owner->sharers.count; i++)
    if (owner->sharers.items[i] == process->first)
      return;
  vector_push(model->arena, &owner->sharers) = process->first;
}

static struct file_owner *owner_enter(struct model *model, uint64_t name, struct process *process, bool is_process) {
  struct file_owner *owner = owner_find(model, name);
  if (!owner) {
    map_put(model->arena, &model->files.by_name, name, (uint32_t)model->files.owners.count);
    owner = &vector_push(model->arena, &model->files.owners);
    *owner = (struct file_owner){.name = name, .is_process = is_process};
  }
  share(model, owner, process);
  return owner;
}

/* Files */

static bool is_file(const struct file *file, const struct file_string *string) {
  return file->major == string->major && file->minor == string->minor && file->inode == string->inode &&
         file->birth == string->birth && file->is_flock == string->is_flock;
}

static uint64_t identity_of(const struct file_string *string) {
  uint64_t hash = map_mix(string->major << 32 | string->minor) ^ string->inode;
  return map_mix(map_mix(hash) ^ string->birth) ^ string->is_flock;
}

static struct file *file_find(const struct model *model, const struct file_string *string) {
  uint32_t place = map_get(&model->files.by_identity, identity_of(string));
  struct file *file = place == MAP_NONE ? NULL : model->files.all.items[place];
  return file && is_file(file, string) ? file : NULL;
}

static struct file *file_enter(struct model *model, const struct file_string *string) {
  struct file *file = file_find(model, string);
  if (file)
    return file;
  struct files *files = &model->files;
  bool is_new = !files->spare.count;
  file = is_new ? arena_alloc(model->arena, sizeof *file) : files->spare.items[--files->spare.count];
  file->major = (uint32_t)string->major;
  file->minor = (uint32_t)string->minor;
  file->inode = string->inode;
  file->birth = string->birth;
  file->is_flock = string->is_flock;
  file->path = string->path;
  file->serial = ++files->serials;
  if (is_new) {
    file->place = (uint32_t)files->all.count;
    vector_push(model->arena, &files->all) = file;
  }
  map_put(model->arena, &files->by_identity, identity_of(string), file->place);
  return file;
}

static void file_becomes_vague(struct model *model, struct file *file) {
  if (file->is_vague)
    return;
  file->is_vague = true;
  for (size_t i = 0; model->forget && i < file->ranges.count; i++)
    model->forget(model->context, file->ranges.items[i]);
}

/* Nobody can open it any more: its locks are history. */
static void file_end(struct model *model, struct file *file, const struct file_string *string) {
  if (file->holds.count)
    return;
  map_remove(&model->files.by_identity, identity_of(string));
  while (file->ranges.count)
    object_retire(model, file->ranges.items[--file->ranges.count]);
  file->is_vague = file->is_doubted = file->has_descriptions = false;
  vector_push(model->arena, &model->files.spare) = file;
}

/* Holds. A thread holds an object while any of its bytes are held. */

static bool overlaps(const struct file_hold *hold, uint64_t first, uint64_t last) {
  return hold->first <= last && first <= hold->last;
}

static void hold_remove(struct file *file, size_t i) {
  struct file_hold gone = file->holds.items[i];
  file->holds.items[i] = file->holds.items[--file->holds.count];
  for (size_t other = 0; other < file->holds.count; other++)
    if (file->holds.items[other].object == gone.object && file->holds.items[other].thread == gone.thread)
      return;
  hold_drop(gone.thread, gone.object);
}

void file_doubt(struct model *model, struct file *file) {
  while (file->holds.count)
    hold_remove(file, file->holds.count - 1);
  file->is_doubted = true;
  file_becomes_vague(model, file);
}

static void owner_end(struct model *model, struct file_owner *owner) {
  struct files *files = &model->files;
  for (size_t f = 0; f < owner->files.count; f++)
    for (size_t i = owner->files.items[f]->holds.count; i--;)
      if (owner->files.items[f]->holds.items[i].owner == owner->name)
        hold_remove(owner->files.items[f], i);
  map_remove(&files->by_name, owner->name);
  vector_free(model->arena, &owner->sharers);
  vector_free(model->arena, &owner->files);
  struct file_owner *last = &files->owners.items[--files->owners.count];
  if (owner == last)
    return;
  *owner = *last;
  map_put(model->arena, &files->by_name, owner->name, (uint32_t)(owner - files->owners.items));
}

static void owner_leave(struct model *model, struct file_owner *owner, const struct process *process) {
  for (size_t i = 0; i < owner->sharers.count; i++)
    if (owner->sharers.items[i] == process->first) {
      owner->sharers.items[i] = owner->sharers.items[--owner->sharers.count];
      if (!owner->sharers.count)
        owner_end(model, owner);
      return;
    }
}

void files_lose_process(struct model *model, const struct process *process) {
  for (size_t i = model->files.owners.count; i--;)
    owner_leave(model, &model->files.owners.items[i], process);
}

void files_inherit(struct model *model, struct process *child) {
  for (size_t i = 0; child->parent && i < model->files.owners.count; i++) {
    struct file_owner *owner = &model->files.owners.items[i];
    for (size_t s = 0; !owner->is_process && s < owner->sharers.count; s++)
      if (owner->sharers.items[s] == child->parent->first) {
        share(model, owner, child);
        break;
      }
  }
}

/* What of a hold is left when [first, last] goes. */
static void hold_cut(struct model *model, struct file *file, size_t i, uint64_t first, uint64_t last) {
  struct file_hold hold = file->holds.items[i], right = hold;
  if (hold.first < first)
    file->holds.items[i].last = first - 1;
  else
    file->holds.items[i].first = last + 1;
  if (hold.first < first && hold.last > last) {
    right.first = last + 1;
    vector_push(model->arena, &file->holds) = right;
  }
}

/* The owner gives these bytes up. */
static void give(struct model *model, struct event *event, struct file *file, uint64_t owner, uint64_t first,
                 uint64_t last) {
  for (size_t i = file->holds.count; i--;) {
    struct file_hold hold = file->holds.items[i];
    if (hold.owner != owner || !overlaps(&hold, first, last))
      continue;
    bool is_whole = first <= hold.first && hold.last <= last;
    if (!is_whole ||
        hold.thread != event->thread) /* a lock that one thread takes and another gives up is no thread's */
      file_becomes_vague(model, file);
    const struct hold *held = thread_hold(hold.thread, hold.object);
    if (is_whole && hold.thread == event->thread && held && !event->gave) {
      event->gave = true;
      event->gave_epoch = held->epoch;
      event->is_write = hold.is_write;
      event->object = hold.object;
    }
    if (is_whole)
      hold_remove(file, i);
    else
      hold_cut(model, file, i, first, last);
  }
}

/* The object of a range, made if there is none; if it overlaps another one, the file is vague. */
static struct object *range_object(struct model *model, struct event *event, struct file *file,
                                   const struct file_string *string) {
  struct object *object =
      object_of_identity(model, event, SNARLI_FILE, RANGE_DEVICE | file->serial, string->first, string->last);
  if (object->file)
    return object;
  object->file = file;
  size_t low = 0, high = file->ranges.count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (file->ranges.items[middle]->inode < string->first)
      low = middle + 1;
    else
      high = middle;
  }
  bool meets_left = low > 0 && file->ranges.items[low - 1]->offset >= string->first;
  bool meets_right = low < file->ranges.count && file->ranges.items[low]->inode <= string->last;
  (void)vector_push(model->arena, &file->ranges);
  memmove(&file->ranges.items[low + 1], &file->ranges.items[low],
          (file->ranges.count - 1 - low) * sizeof(struct object *));
  file->ranges.items[low] = object;
  if (meets_left || meets_right)
    file_becomes_vague(model, file);
  return object;
}

static bool excludes(const struct file_hold *hold, uint64_t owner, uint64_t first, uint64_t last, bool is_write) {
  return hold->owner != owner && (hold->is_write || is_write) && overlaps(hold, first, last);
}

const struct file_hold *file_conflict(const struct wait *wait, size_t *at) {
  const struct file *file = wait->object->file;
  while (*at < file->holds.count) {
    const struct file_hold *hold = &file->holds.items[(*at)++];
    if (excludes(hold, wait->owner, wait->object->inode, wait->object->offset, wait->is_write))
      return hold;
  }
  return NULL;
}

static void wants(struct event *event) {
  event->wants = true;
  event->is_write =
      event->record->type == SNARLI_R_FILE_WRITE_REQUESTED || event->record->type == SNARLI_R_FILE_WRITE_ACQUIRED;
  event->is_try = event->record->arg & SNARLI_F_TRY;
}

/* Threads with one owner do not exclude each other. */
static void look_for_partners(struct model *model, struct event *event, struct file *file, uint64_t owner) {
  for (size_t i = 0; i < file->holds.count; i++) {
    const struct file_hold *hold = &file->holds.items[i];
    if (hold->owner == owner && hold->thread != event->thread &&
        overlaps(hold, event->object->inode, event->object->offset))
      file_becomes_vague(model, file);
  }
}

static void requested(struct model *model, struct event *event, struct file *file, uint64_t owner) {
  wants(event);
  struct wait *wait = wait_begin(event, WAIT_FILE);
  wait->is_write = event->is_write;
  wait->owner = owner;
  look_for_partners(model, event, file, owner);
}

static struct file_hold *hold_of(struct file *file, uint64_t owner, const struct thread *thread,
                                 const struct object *object) {
  for (size_t i = 0; i < file->holds.count; i++) {
    struct file_hold *hold = &file->holds.items[i];
    if (hold->owner == owner && hold->thread == thread && hold->object == object && hold->first == object->inode &&
        hold->last == object->offset)
      return hold;
  }
  return NULL;
}

/* Who is known to hold what was granted to another has lost it in a way that was not seen. */
static void look_for_contradictions(struct model *model, const struct event *event, struct file *file, uint64_t owner) {
  for (size_t i = 0; i < file->holds.count; i++)
    if (excludes(&file->holds.items[i], owner, event->object->inode, event->object->offset, event->is_write)) {
      file_doubt(model, file);
      return;
    }
}

static void remember_file(struct model *model, struct file_owner *owner, struct file *file) {
  for (size_t i = 0; i < owner->files.count; i++)
    if (owner->files.items[i] == file)
      return;
  vector_push(model->arena, &owner->files) = file;
}

static void take(struct model *model, struct event *event, struct file *file, struct file_owner *owner) {
  struct object *object = event->object;
  struct hold *held;
  uint64_t name = owner->name;
  look_for_contradictions(model, event, file, name);
  look_for_partners(model, event, file, name);
  struct file_hold *same = hold_of(file, name, event->thread, object);
  if (same && (held = thread_hold(event->thread, object))) {
    same->is_write = held->is_write = event->is_write;
    return;
  }
  give(model, event, file, name, object->inode, object->offset);
  event->gave = false; /* it is held on as what it is now */
  event->object = object;
  remember_file(model, owner, file);
  vector_push(model->arena, &file->holds) =
      (struct file_hold){object->inode, object->offset, event->is_write, name, event->thread, object};
  held = thread_hold(event->thread, object);
  if (held)
    held->is_write = event->is_write;
  else
    event->took = hold_add(model, event->thread, object, event->is_write, origin_of(event));
}

static void acquired(struct model *model, struct event *event, struct file *file, struct file_owner *owner) {
  const struct wait *wait = &event->thread->wait;
  bool was_asked = wait->kind == WAIT_FILE && wait->object == event->object;
  wait_end(event->thread);
  wants(event);
  bool is_write = event->is_write;
  take(model, event, file, owner);
  event->wants = !was_asked;
  event->is_write = is_write;
}

static void released(struct model *model, struct event *event, const struct file_string *string, uint64_t owner) {
  struct file *file = file_find(model, string);
  if (!file)
    return;
  if (!owner_find(model, owner) && file->holds.count && !string->is_process)
    file_doubt(model, file); /* by a descriptor of an unknown origin: whose lock was that? */
  give(model, event, file, owner, string->first, string->last);
  if (event->record->arg & SNARLI_F_ENDED)
    file_end(model, file, string);
}

static void left(struct model *model, const struct event *event, const struct file_string *string, uint64_t name) {
  struct file *file = file_find(model, string);
  struct file_owner *owner = owner_find(model, name);
  if (owner)
    owner_leave(model, owner, event->process);
  if (file && event->record->arg & SNARLI_F_ENDED)
    file_end(model, file, string);
}

static void seize(struct model *model, struct event *event, const struct file_string *string, uint64_t name) {
  struct file *file = file_enter(model, string);
  struct file_owner *owner = owner_enter(model, name, event->process, string->is_process);
  file->has_descriptions |= !string->is_process;
  event->object = range_object(model, event, file, string);
  if (event->info->phase == SNARLI_REQUEST)
    requested(model, event, file, name);
  else
    acquired(model, event, file, owner);
}

void file_step(struct model *model, struct event *event) {
  const char *text = trace_string(model->trace, event->process->index, (uint32_t)event->record->object);
  struct file_string string;
  enum snarli_phase phase = event->info->phase;
  if (phase == SNARLI_FAIL)
    wait_end(event->thread);
  if (!text || !file_string_parse(text, &string)) {
    wait_end(event->thread);
    return;
  }
  uint64_t owner = owner_name(&string, event->process);
  if (phase == SNARLI_REQUEST || phase == SNARLI_ACQUIRE)
    seize(model, event, &string, owner);
  else if (event->record->type == SNARLI_R_FILE_LOCK_RELEASED)
    released(model, event, &string, owner);
  else if (event->record->type == SNARLI_R_FILE_LOCK_LEFT)
    left(model, event, &string, owner);
  else if (event->record->type == SNARLI_R_FILE_RELEASE_FAILED && file_find(model, &string))
    file_doubt(model, file_find(model, &string));
}
