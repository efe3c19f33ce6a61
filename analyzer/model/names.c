/* SPDX-License-Identifier: MIT
 *
 * Names in the system, of semaphores and of shared memory: who made them, and whether somebody removed them. They are
 * the machine's, not a process's: any process may remove what another has made. One thread per model.
 */
#include "parts.h"
#include <string.h>

static const char *without_slash(const char *text) { return text + strspn(text, "/"); }

static uint64_t hash_of(const char *text, bool is_semaphore) {
  uint64_t hash = 14695981039346656037ull + is_semaphore; /* FNV-1a */
  for (const char *c = text; *c; c++)
    hash = (hash ^ (unsigned char)*c) * 1099511628211ull;
  return hash;
}

/* NULL: nobody of the trace has made it. */
static struct system_name *name_find(struct model *model, const char *text, bool is_semaphore) {
  uint32_t place = map_get(&model->names_by_hash, hash_of(text, is_semaphore));
  return place == MAP_NONE || strcmp(model->names.items[place].text, text) != 0 ? NULL : &model->names.items[place];
}

static struct system_name *name_add(struct model *model, const char *text, bool is_semaphore) {
  map_put(model->arena, &model->names_by_hash, hash_of(text, is_semaphore), (uint32_t)model->names.count);
  vector_push(model->arena, &model->names) = (struct system_name){.text = text, .is_semaphore = is_semaphore};
  return &model->names.items[model->names.count - 1];
}

/* Both are recorded after the call: another process may have removed the name before its making was recorded. */
#define OUT_OF_ORDER_NS 100000000u
static bool was_removed_early(const struct model *model, const struct system_name *name, const struct event *event) {
  return name->removed.time && name->removed.process != event->process->index &&
         trace_ns(model->trace, event->record->time) - trace_ns(model->trace, name->removed.time) < OUT_OF_ORDER_NS;
}

static void name_made(struct model *model, const struct event *event, struct system_name *name) {
  bool is_known = event->thread->made.address == event->record->object;
  name->is_removed = was_removed_early(model, name, event);
  name->made = is_known ? event->thread->made.origin : origin_of(event);
  name->maker = event->thread;
  name->maker->pins++;
}

void name_noted(struct model *model, struct event *event) {
  bool is_made = event->record->type == SNARLI_R_OBJECT_NAMED && event->record->arg == SNARLI_NAME_MADE;
  bool is_semaphore = is_made ? event->thread->made.family == SNARLI_SEM : event->record->type == SNARLI_R_SEM_UNLINKED;
  const char *text = trace_string(model->trace, event->process->index, event->record->aux);
  if (!text || !*(text = without_slash(text)))
    return;
  struct system_name *name = name_find(model, text, is_semaphore);
  name = name ? name : name_add(model, text, is_semaphore);
  if (is_made) {
    name_made(model, event, name);
    return;
  }
  name->is_removed = true;
  name->removed = origin_of(event);
}

void name_bearer_made(struct event *event, enum snarli_family family) {
  event->thread->made.address = event->record->object;
  event->thread->made.family = family;
  event->thread->made.origin = origin_of(event);
}
