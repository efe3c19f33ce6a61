/* SPDX-License-Identifier: MIT
 *
 * System V semaphores: each of a set is an object of the semaphores' family, identified by namespace, set and place,
 * and with their roles (semaphore.c). Here is what differs: calls on several at once, units, values that the program
 * sets again, and what the kernel undoes when a process ends. One thread per model.
 */
#include "parts.h"

#define SET_DEVICE (1ull << 62) /* no device of real memory */

static uint64_t namespace_of(struct process *process) {
  for (struct process *at = process; !process->ipc_namespace && at; at = at->parent == at ? NULL : at->parent) {
    process->ipc_namespace = at->ipc_namespace;
    if (!at->info->forked) /* a program that was executed says it itself */
      break;
  }
  return process->ipc_namespace;
}

static uint64_t device_of(struct process *process) { return SET_DEVICE | namespace_of(process); }

static struct object *find(const struct model *model, struct process *process, uint64_t number) {
  struct object *sem = object_with_identity(model, device_of(process), number >> 16, number & 0xffff);
  return sem && sem->family == SNARLI_SEM ? sem : NULL;
}

static uint64_t key_of_set(uint64_t device, uint64_t id) { return map_mix(device) ^ id; }

static void remember_number(struct model *model, uint64_t device, uint64_t number) {
  uint64_t key = key_of_set(device, number >> 16);
  uint32_t highest = map_get(&model->sysv_sets, key);
  if (highest == MAP_NONE || highest < (number & 0xffff))
    map_put(model->arena, &model->sysv_sets, key, number & 0xffff);
}

static struct object *enter(struct model *model, const struct event *event) {
  uint64_t number = event->record->object;
  remember_number(model, device_of(event->process), number);
  struct object *sem =
      object_of_identity(model, event, SNARLI_SEM, device_of(event->process), number >> 16, number & 0xffff);
  sem->is_sysv = true;
  return sem;
}

/* A value that the program sets begins a new life; one that was found is believed if none is known. */
static void value(struct model *model, struct event *event) {
  enum { FOUND = 0, SET = 1, NEW = 2 };
  struct object *old = find(model, event->process, event->record->object);
  bool is_closed = event->record->arg == NEW || (old && old->is_closed);
  if (event->record->arg == SET && old)
    object_retire(model, old);
  event->object = enter(model, event);
  event->object->is_closed |= is_closed;
  sem_has_value(model, event);
}

static void removed(struct model *model, const struct event *event) {
  uint64_t device = device_of(event->process), first = event->record->object & ~(uint64_t)0xffff;
  uint32_t highest = map_get(&model->sysv_sets, key_of_set(device, first >> 16));
  for (uint32_t i = 0; highest != MAP_NONE && i <= highest; i++) {
    struct object *sem = find(model, event->process, first | i);
    if (sem)
      object_retire(model, sem);
  }
  map_remove(&model->sysv_sets, key_of_set(device, first >> 16));
}

static uint32_t units_of(const struct event *event) { return event->record->arg >> SNARLI_U_SHIFT; }

/* The kernel adds what was taken with SEM_UNDO, and takes what was given, when the process ends. */
static void remember(struct model *model, const struct event *event, int64_t units) {
  struct process *process = event->process->first;
  if (!(event->record->arg & SNARLI_U_UNDO))
    return;
  for (size_t i = 0; i < process->undos.count; i++) {
    struct undo *undo = &process->undos.items[i];
    if (undo->sem == event->object && undo->serial == event->object->serial) {
      undo->units += units;
      return;
    }
  }
  vector_push(model->arena, &process->undos) = (struct undo){event->object, event->object->serial, units};
}

static void undo(struct model *model, struct object *sem, const struct process *process, int64_t units) {
  sem->value += units;
  for (size_t i = sem->holders.count; units > 0 && i--;)
    if (sem->holders.items[i]->process->first == process) {
      hold_drop(sem->holders.items[i], sem);
      units--;
    }
  if (sem->value < 0) /* the kernel stops at zero */
    object_doubt(model, sem);
}

void sysv_lose_process(struct model *model, const struct process *process) {
  struct process *first = process->first;
  for (size_t i = 0; i < first->undos.count; i++) {
    struct undo *done = &first->undos.items[i];
    if (done->sem->serial == done->serial && !done->sem->is_gone && !done->sem->is_doubted)
      undo(model, done->sem, first, done->units);
  }
  vector_free(model->arena, &first->undos);
}

/* Taking and giving other than one unit is no lock's; more units than the record can say make its value unknown. */
static void look_at_units(struct model *model, struct event *event) {
  uint32_t units = units_of(event);
  if (units == SNARLI_U_MANY)
    object_doubt(model, event->object);
  if (units == 1)
    return;
  event->object->has_posters = event->object->has_acquirers = true; /* a post is no longer for one acquire */
  if (!event->object->is_doubted)
    sem_becomes_count(model, event->object);
}

/* Of a call on several it waits for one that it cannot have. */
static void requested(struct model *model, struct event *event) {
  struct wait *wait = &event->thread->wait, before = *wait;
  bool is_together = event->record->arg & SNARLI_U_TOGETHER && before.kind == WAIT_SEM;
  sem_requested(model, event);
  wait->units = units_of(event);
  if (is_together && (before.object->serial != before.object_serial || before.object->value < (int64_t)before.units))
    *wait = before;
}

static void acquired(struct model *model, struct event *event) {
  if (!(event->record->arg & SNARLI_U_TOGETHER))
    event->thread->held_before = (uint32_t)event->thread->holds.count;
  event->is_together = event->record->arg & SNARLI_U_TOGETHER;
  if (!units_of(event)) { /* it was zero */
    wait_end(event->thread);
    return;
  }
  sem_acquired(model, event, units_of(event));
  remember(model, event, units_of(event));
}

void sysv_step(struct model *model, struct event *event) {
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_SYSV_NAMESPACE:
    event->process->ipc_namespace = event->record->object & 0xffffffff;
    return;
  case SNARLI_R_SYSV_VALUE:
    value(model, event);
    return;
  case SNARLI_R_SYSV_REMOVED:
    removed(model, event);
    return;
  default:
    event->object = enter(model, event);
    break;
  }
  if (event->info->arg == SNARLI_ARG_UNITS)
    look_at_units(model, event);
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_SYSV_REQUESTED:
    requested(model, event);
    break;
  case SNARLI_R_SYSV_ACQUIRED:
    acquired(model, event);
    break;
  case SNARLI_R_SYSV_FAILED:
    sem_failed(model, event);
    break;
  case SNARLI_R_SYSV_POSTED:
    sem_posted(model, event, units_of(event));
    remember(model, event, -(int64_t)units_of(event));
    break;
  case SNARLI_R_SYSV_POST_FAILED:
    object_doubt(model, event->object); /* its record came first and counted */
    break;
  default:
    break;
  }
}
