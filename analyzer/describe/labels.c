/* SPDX-License-Identifier: MIT
 *
 * Labels: short, unique within the report, and given in the order in which they are asked for, so that the same trace
 * gives the same. One thread per value.
 */
#include "../model/channel.h"
#include "describe.h"
#include <inttypes.h>
#include <string.h>

void describe_init(struct describe *describe, struct arena *arena, struct model *model, struct symbols *symbols) {
  *describe = (struct describe){.arena = arena, .model = model, .symbols = symbols};
}

const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static uint64_t hash_text(const char *text) {
  uint64_t hash = 14695981039346656037ull;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 1099511628211ull;
  return hash;
}

void describe_announce(struct describe *describe, const struct thread *thread) {
  uint32_t seen = map_get(&describe->taken, 0); /* no label hashes to 0: this place says which process came first */
  if (seen == MAP_NONE)
    map_put(describe->arena, &describe->taken, 0, thread->process->index);
  else
    describe->names_processes |= seen != thread->process->index;
}

/* How many had this label before. */
static uint32_t count_label(struct describe *describe, const char *text) {
  uint64_t hash = hash_text(text) | 1;
  uint32_t count = map_get(&describe->taken, hash);
  count = count == MAP_NONE ? 0 : count;
  map_put(describe->arena, &describe->taken, hash, count + 1);
  return count;
}

static const char *unique(struct describe *describe, const char *text) {
  uint32_t count = count_label(describe, text);
  return count ? unique(describe, arena_print(describe->arena, "%s #%u", text, count + 1)) : text;
}

static const char *remember(struct describe *describe, struct map *map, uint32_t serial, const char *label) {
  map_put(describe->arena, map, serial, (uint32_t)describe->labels.count);
  vector_push(describe->arena, &describe->labels) = label;
  return label;
}

struct finding_stack describe_stack(struct describe *describe, struct origin origin) {
  if (!origin.stack)
    return (struct finding_stack){0};
  return symbols_stack(describe->symbols, origin.process, origin.stack, origin.time);
}

const struct finding_frame *describe_site(struct finding_stack stack) {
  for (size_t i = 0; i < stack.count; i++)
    if (!stack.frames[i].is_internal)
      return &stack.frames[i];
  for (size_t i = 0; i < stack.count; i++)
    if (stack.frames[i].is_interpreted)
      return &stack.frames[i];
  return stack.count ? &stack.frames[0] : NULL;
}

bool is_interpreter(const struct finding_frame *frame) { return frame && strstr(base_name(frame->module), "python"); }

static const char *place_of(struct describe *describe, const struct finding_frame *frame) {
  if (!frame)
    return "";
  if (*frame->file && frame->line)
    return arena_print(describe->arena, "%s:%u", base_name(frame->file), frame->line);
  if (*frame->function)
    return frame->function;
  return *frame->module
             ? arena_print(describe->arena, "%s+0x%llx", base_name(frame->module), (unsigned long long)frame->offset)
             : "";
}

const char *describe_place(struct describe *describe, struct origin origin) {
  return place_of(describe, describe_site(describe_stack(describe, origin)));
}

/* A line of an interpreter is the same for all that its programs do: it says nothing in a sentence. */
const char *describe_at(struct describe *describe, struct origin origin) {
  const struct finding_frame *site = describe_site(describe_stack(describe, origin));
  const char *place = is_interpreter(site) ? "" : place_of(describe, site);
  return *place ? arena_print(describe->arena, " (%s)", place) : "";
}

const char *describe_thread_name(struct describe *describe, const struct thread *thread) {
  if (thread->name)
    return thread->name;
  if (!thread->index)
    return "main";
  struct origin start = {thread->process->index, thread->start, thread->begun.time, 0};
  struct finding_stack stack = describe_stack(describe, start);
  return stack.count && *stack.frames[0].function ? stack.frames[0].function : "thread";
}

const char *describe_thread(struct describe *describe, struct thread *thread) {
  uint32_t place = map_get(&describe->threads, thread->serial);
  if (place != MAP_NONE)
    return describe->labels.items[place];
  const char *name = describe_thread_name(describe, thread);
  if (!thread->name && thread->index)
    name = strcmp(name, "thread") ? arena_print(describe->arena, "T%u (%s)", thread->index, name)
                                  : arena_print(describe->arena, "T%u", thread->index);
  if (describe->names_processes)
    name = arena_print(describe->arena, "%s [%u]", name, thread->process->info->pid);
  return remember(describe, &describe->threads, thread->serial, unique(describe, name));
}

const char *describe_process(struct describe *describe, const struct process *process) {
  const char *exe = process->info->exe ? base_name(process->info->exe) : "";
  return arena_print(describe->arena, "process %u%s%s%s", process->info->pid, *exe ? " (" : "", exe, *exe ? ")" : "");
}

static const char *const kinds[256] = {
#define KIND(id, NAME, text, family, type) [id] = text,
#include <snarl/trace/kinds.def>
};

const char *object_kind(const struct object *object) {
  if (kinds[object->kind])
    return kinds[object->kind];
  switch (object->family) {
  case SNARLI_RWLOCK:
    return "rwlock";
  case SNARLI_SPIN:
    return "spinlock";
  case SNARLI_SEM:
    return "semaphore";
  case SNARLI_COND:
    return "condition";
  case SNARLI_BARRIER:
    return "barrier";
  case SNARLI_ONCE:
    return "once";
  case SNARLI_LOCK:
    return "lock";
  case SNARLI_SHARED: /* one of an Array or ShareableList, which has no name of its own */
    return kinds[SNARLI_KIND_SHARED];
  case SNARLI_FUTURE:
    return "Future";
  case SNARLI_MANAGED:
    return "item of a manager";
  case SNARLI_FILE:
    return object->file->is_flock ? "file lock" : "record lock";
  case SNARLI_CHANNEL:
    return object->channel ? trace_channel_kind(object->channel->kind) : "channel";
  default:
    return "mutex";
  }
}

const char *object_word(const struct object *object, const struct finding_frame *site) {
  bool is_python_lock = object->family == SNARLI_SEM && object->role == SEM_LOCK && site && site->is_interpreted;
  return is_python_lock ? "lock" : object_kind(object);
}

/* Objects that an interpreter makes all come from one line of C: their numbers tell them apart. */
static const char *numbered(struct describe *describe, const struct object *object, const struct finding_frame *site) {
  uint32_t number = count_label(describe, arena_print(describe->arena, "\n%s", object_kind(object))) + 1;
  const char *where = !site ? "" : *site->function ? site->function : base_name(site->module);
  return *where ? arena_print(describe->arena, "%s %u (%s)", object_kind(object), number, where)
                : arena_print(describe->arena, "%s %u", object_kind(object), number);
}

const char *describe_variable(struct describe *describe, const struct object *object) {
  uint64_t offset = 0;
  const char *name =
      object->is_shared || object->family == SNARLI_CHANNEL
          ? ""
          : symbols_variable(describe->symbols, object->process->index, object->address, object->created.time, &offset);
  return *name && offset ? arena_print(describe->arena, "%s+0x%" PRIx64, name, offset) : name;
}

/* "file lock app.lock", "record lock data.db[0-99]" */
static const char *file_label(struct describe *describe, const struct object *object) {
  const char *name = base_name(object->file->path);
  if (!*name)
    name = arena_print(describe->arena, "inode %" PRIu64, object->file->inode);
  if (!object->inode && object->offset == UINT64_MAX)
    return arena_print(describe->arena, "%s %s", object_kind(object), name);
  const char *end = object->offset == UINT64_MAX ? "" : arena_print(describe->arena, "%" PRIu64, object->offset);
  return arena_print(describe->arena, "%s %s[%" PRIu64 "-%s]", object_kind(object), name, object->inode, end);
}

/* What its program calls it says most; else where it came from; else a number. */
const char *describe_object(struct describe *describe, struct object *object) {
  uint32_t place = map_get(&describe->objects, object->serial);
  if (place != MAP_NONE)
    return describe->labels.items[place];
  const struct finding_frame *site = describe_site(describe_stack(describe, object->created));
  const char *where = place_of(describe, site), *label = object->name;
  if (label && (object->kind || object->family == SNARLI_CHANNEL)) /* as its user would say: Lock accounts */
    label = arena_print(describe->arena, "%s %s", object_kind(object), label);
  const char *variable = label ? "" : describe_variable(describe, object);
  if (*variable)
    label = arena_print(describe->arena, "%s %s", object_kind(object), variable);
  if (object->file)
    label = file_label(describe, object);
  if (object->is_sysv)
    label = arena_print(describe->arena, "System V semaphore %" PRIu64 "[%" PRIu64 "]", object->inode, object->offset);
  if (!label && *where && !is_interpreter(site))
    label = arena_print(describe->arena, "%s %s", object_word(object, site), where);
  if (!label)
    label = numbered(describe, object, *where ? site : NULL);
  return remember(describe, &describe->objects, object->serial, unique(describe, label));
}
