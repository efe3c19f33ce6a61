/* SPDX-License-Identifier: MIT
 *
 * What a process is given by the one that starts it (see given.h). A forked one has the objects themselves, a fresh
 * image descriptors and what they are, from which it makes its own. `guard` protects what was not taken yet. Entered by
 * any thread.
 */
#include "given.h"
#include "core/runtime.h"
#include "multiprocessing/connection/end.h"
#include "multiprocessing/memory/shared_memory.h"
#include "multiprocessing/queue/process_queue.h"
#include <string.h>

static uint32_t guard;
static struct snarli_preparation *prepared; /* NULL: not a fresh image */

static bool is_of(const struct snarl_object *object, uint32_t alive) { return object->kind == alive; }

static bool can_be_given(const struct snarl_object *object) {
  return object && (is_of(object, SNARLI_ALIVE(CONNECTION)) || is_of(object, SNARLI_ALIVE(SHARED_MEMORY)) ||
                    is_of(object, SNARLI_ALIVE(PROCESS_QUEUE)));
}

static bool is_among(const char *name, const struct snarl_given *given, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (given[i].name && !strcmp(given[i].name, name))
      return true;
  return false;
}

int snarl_process_give_at(snarl_process *process, const struct snarl_given *given, size_t count,
                          struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)process, SNARLI_ALIVE(PROCESS), site);
  if (!status && snarli_load(&process->state))
    status = snarli_refuse(SNARL_STARTED, process, site);
  if (!status && count > SNARL_GIVEN_MOST)
    status = SNARL_TOO_MANY;
  for (size_t i = 0; !status && i < count; i++)
    if (!given[i].name || !can_be_given(given[i].object) || is_among(given[i].name, given, i))
      status = snarli_refuse(SNARL_INVALID, process, site);
  if (status)
    return status;
  for (size_t i = 0; i < count; i++)
    if (is_of(given[i].object, SNARLI_ALIVE(CONNECTION)))
      (void)snarl_connection_give((snarl_connection *)given[i].object, process);
  process->given = given;
  process->given_count = count;
  return SNARL_OK;
}

int snarli_given_check(const snarl_process *process, struct snarl_site *site) {
  for (size_t i = 0; i < process->given_count; i++)
    if (!can_be_given(process->given[i].object) || snarli_given_descriptor(process->given[i].object) < 0)
      return snarli_refuse(SNARL_INVALID, process, site);
  return SNARL_OK;
}

int snarli_given_descriptor(const struct snarl_object *object) {
  if (is_of(object, SNARLI_ALIVE(CONNECTION)))
    return ((const snarl_connection *)object)->end->fd;
  if (is_of(object, SNARLI_ALIVE(PROCESS_QUEUE)))
    return ((const snarl_process_queue *)object)->fd;
  return ((const snarl_shared_memory *)object)->fd;
}

void snarli_given_describe(struct snarli_handed *handed, const struct snarl_object *object) {
  handed->kind = object->kind;
  if (!is_of(object, SNARLI_ALIVE(CONNECTION)))
    return;
  handed->may_send = ((const snarl_connection *)object)->end->may_send;
  handed->may_recv = ((const snarl_connection *)object)->end->may_recv;
}

void snarli_given_begin(struct snarli_preparation *preparation) { prepared = preparation; }
void snarli_given_in_child(void) { guard = 0; }

/* The guard is held. What was handed to a fresh image under this name, NULL: none, or it was taken. */
static struct snarli_handed *handed_find(const char *name) {
  for (uint32_t i = 0; i < prepared->handed_count; i++) {
    struct snarli_handed *handed = &prepared->handed[i];
    if (handed->kind && !strcmp(snarli_preparation_text(prepared, handed->name), name))
      return handed;
  }
  return NULL;
}

/* The guard is held. The object that a forked process was given. */
static struct snarl_object *given_find(const char *name) {
  const snarl_process *self = snarl_current_process();
  for (size_t i = 0; snarl_parent_process() && i < self->given_count; i++)
    if (!strcmp(self->given[i].name, name) && can_be_given(self->given[i].object))
      return self->given[i].object;
  return NULL;
}

/* What is to be taken: one of the two, or none. */
struct found {
  struct snarli_handed *handed;
  struct snarl_object *object;
  const char *label;
};

/* Enters the guard. SNARL_OK, or what to answer. */
static int find(struct found *found, const char *name, uint32_t alive) {
  snarli_guard(&guard);
  found->handed = prepared ? handed_find(name) : NULL;
  found->object = prepared ? NULL : given_find(name);
  if (!found->handed && !found->object)
    return SNARL_NOT_FOUND;
  found->label = found->object          ? found->object->name
                 : found->handed->label ? snarli_preparation_text(prepared, found->handed->label)
                                        : NULL;
  return (found->object ? found->object->kind : found->handed->kind) == alive ? SNARL_OK : SNARL_INVALID;
}

/* Leaves the guard; what was found is taken if nothing failed. */
static int taken(const struct found *found, int status) {
  if (!status && found->handed)
    found->handed->kind = 0;
  snarli_unguard(&guard);
  return status;
}

int snarl_given_connection_at(const char *name, snarl_connection *connection, struct snarl_site *site) {
  if (!name || !connection)
    return snarli_refuse(SNARL_INVALID, connection, site);
  struct found found;
  int status = find(&found, name, SNARLI_ALIVE(CONNECTION));
  if (!status && found.object) {
    connection->end = ((snarl_connection *)found.object)->end;
    snarli_object_end(found.object);
  } else if (!status) {
    status = snarli_end_adopt(&connection->end, found.handed, snarli_records() ? snarli_place(site) : 0);
  }
  if (!status)
    status = snarli_object_begin(&connection->object, SNARLI_ALIVE(CONNECTION), found.label, site);
  return taken(&found, status);
}

int snarl_given_memory_at(const char *name, snarl_shared_memory *memory, struct snarl_site *site) {
  if (!name || !memory)
    return snarli_refuse(SNARL_INVALID, memory, site);
  struct found found;
  int status = find(&found, name, SNARLI_ALIVE(SHARED_MEMORY));
  if (!status && found.object) {
    *memory = *(snarl_shared_memory *)found.object;
    snarli_object_end(found.object);
    status = snarli_shared_memory_begin(memory, site);
  } else if (!status) {
    status = snarli_shared_memory_adopt(memory, found.handed->fd, found.label, site);
  }
  return taken(&found, status);
}

int snarl_given_queue_at(const char *name, snarl_process_queue *queue, struct snarl_site *site) {
  if (!name || !queue)
    return snarli_refuse(SNARL_INVALID, queue, site);
  struct found found;
  int status = find(&found, name, SNARLI_ALIVE(PROCESS_QUEUE));
  if (!status && found.object) {
    *queue = *(snarl_process_queue *)found.object;
    snarli_object_end(found.object);
  } else if (!status) {
    status = snarli_process_queue_attach(queue, found.handed->fd);
  }
  return taken(&found, status);
}
