/* SPDX-License-Identifier: MIT
 *
 * The replay: who made a record, on what, and which file knows what it means (see model.h). One thread per model.
 */
#include "model.h"
#include "channel.h"
#include "parts.h"

void model_init(struct model *model, struct arena *arena, struct trace *trace) {
  *model = (struct model){.arena = arena, .trace = trace};
  processes_init(model);
}

struct wait *wait_begin(struct event *event, enum wait_kind kind) {
  bool has_flags = event->info->arg == SNARLI_ARG_FLAGS || event->info->arg == SNARLI_ARG_UNITS;
  unsigned flags = has_flags ? event->record->arg : 0;
  struct wait *wait = &event->thread->wait;
  *wait = (struct wait){.kind = kind, .asked = origin_of(event), .object = event->object};
  wait->ends = flags & (SNARLI_F_TRY | SNARLI_F_TIMED);
  wait->object_serial = event->object ? event->object->serial : 0;
  return wait;
}

/* A wait that ended without a record of its own: by cancellation, or because records are missing. */
void wait_end(struct thread *thread) {
  struct wait *wait = &thread->wait;
  struct object *object = wait->object;
  if (wait->kind == WAIT_COND && object->serial == wait->object_serial && object->waiters) {
    object->waiters--;
    if (object->signals > object->waiters)
      object->signals = object->waiters;
  }
  if (wait->kind == WAIT_BARRIER && object->serial == wait->object_serial && object->round == wait->round &&
      object->arrived)
    object->arrived--;
  if (wait->kind == WAIT_SEND)
    channel_wait_ends(thread);
  wait->kind = WAIT_NONE;
}

/* Whether the thread's wait goes on although it made this record. */
static bool belongs_to_wait(const struct thread *thread, const struct event *event) {
  const struct wait *wait = &thread->wait;
  if (event->info->family == SNARLI_META || event->record->type == SNARLI_R_THREAD_NAMED)
    return true;
  if (wait->kind == WAIT_TURN)
    return false;
  if (event->record->type == SNARLI_R_FIBER_SWITCHED || event->record->type == SNARLI_R_FIBER_SWITCHED_UNORDERED)
    return true; /* a lock that runs others until it is free */
  if (wait->kind == WAIT_SEM && event->record->type == SNARLI_R_SYSV_REQUESTED) /* it asks for several at once */
    return event->record->arg & SNARLI_U_TOGETHER;
  if (wait->kind == WAIT_COND && event->info->family == SNARLI_MUTEX)
    return event->record->arg & SNARLI_F_IN_WAIT;
  if (wait->kind == WAIT_COND)
    return event->record->type == SNARLI_R_COND_WAIT_RETURNED && event->object == wait->object;
  if (wait->kind == WAIT_BARRIER)
    return event->record->type == SNARLI_R_BARRIER_PASSED && event->object == wait->object;
  return event->info->phase == SNARLI_ACQUIRE || event->info->phase == SNARLI_FAIL;
}

/* Which family of records tells about each kind of libsnarl's objects. */
static const struct {
  enum snarli_family family;
  uint8_t type;
} kinds[256] = {
#define KIND(id, NAME, text, family_, type_) [id] = {SNARLI_##family_, type_},
#include <snarl/trace/kinds.def>
};

/* It is made once in an object's life, before anything else of it. */
static void declared(struct model *model, struct event *event) {
  uint8_t kind = event->record->arg;
  name_bearer_made(event, kinds[kind].family);
  if (kinds[kind].family == SNARLI_META) /* nothing that is followed here */
    return;
  uint64_t key = key_of_address(kinds[kind].family, event->record->object);
  event->object = object_renew(model, event->process, key, kinds[kind].family, event->record);
  event->object->kind = kind;
  event->object->type = kinds[kind].type;
  event->object->has_type = true;
}

static void meta_step(struct model *model, struct event *event) {
  if (event->record->type == SNARLI_R_OBJECT_DECLARED)
    declared(model, event);
  if (event->record->type == SNARLI_R_OBJECT_MISUSED)
    event->object = object_find(model, event->process, event->record->object, event->record->time);
  if (event->record->type == SNARLI_R_DROPPED)
    thread_lose(model, event->thread);
  if (event->record->type == SNARLI_R_MEMORY_FREED)
    objects_end(model, event->process, event->record->object, event->record->aux);
  if (event->record->type != SNARLI_R_OBJECT_NAMED)
    return;
  if (event->record->arg != SNARLI_NAMED) {
    name_noted(model, event);
    return;
  }
  struct object *object = object_find(model, event->process, event->record->object, event->record->time);
  const char *name = trace_string(model->trace, event->process->index, event->record->aux);
  if (object && name && *name)
    object->name = name;
}

static bool makes_object(const struct event *event) {
  return event->info->object == SNARLI_OBJECT_ADDRESS && event->info->family != SNARLI_META &&
         event->info->family != SNARLI_FUTEX;
}

static bool is_init(unsigned type) {
  return type == SNARLI_R_MUTEX_INIT || type == SNARLI_R_RWLOCK_INIT || type == SNARLI_R_SPIN_INIT ||
         type == SNARLI_R_SEM_INIT || type == SNARLI_R_COND_INIT || type == SNARLI_R_BARRIER_INIT ||
         type == SNARLI_R_LOCK_INIT || type == SNARLI_R_FUTURE_SUBMITTED;
}

static bool is_destroy(unsigned type) {
  return type == SNARLI_R_MUTEX_DESTROYED || type == SNARLI_R_RWLOCK_DESTROYED || type == SNARLI_R_SPIN_DESTROYED ||
         type == SNARLI_R_SEM_DESTROYED || type == SNARLI_R_COND_DESTROYED || type == SNARLI_R_BARRIER_DESTROYED ||
         type == SNARLI_R_LOCK_DESTROYED || type == SNARLI_R_EVENT_DESTROYED || type == SNARLI_R_QUEUE_DESTROYED;
}

static void find_object(struct model *model, struct event *event) {
  const struct trace_record *record = event->record;
  uint64_t key = key_of_address(event->info->family, record->object);
  if (!is_init(record->type)) {
    event->object = object_at(model, event->process, key, event->info->family, record);
    return;
  }
  event->object = object_renew(model, event->process, key, event->info->family, record);
  event->object->type = record->arg;
  event->object->has_type = true;
}

static void family_step(struct model *model, struct event *event) {
  switch (event->info->family) {
  case SNARLI_META:
    meta_step(model, event);
    break;
  case SNARLI_THREAD:
    thread_step(model, event);
    break;
  case SNARLI_MUTEX:
  case SNARLI_RWLOCK:
  case SNARLI_SPIN:
  case SNARLI_LOCK:
    lock_step(model, event);
    break;
  case SNARLI_SEM:
    sem_step(model, event);
    break;
  case SNARLI_COND:
    cond_step(model, event);
    break;
  case SNARLI_BARRIER:
    barrier_step(model, event);
    break;
  case SNARLI_ONCE:
    once_step(model, event);
    break;
  case SNARLI_ORDER:
    order_step(event);
    break;
  case SNARLI_FUTEX:
    futex_step(event);
    break;
  case SNARLI_PROCESS:
    process_step(model, event);
    break;
  case SNARLI_QUEUE:
    queue_step(event);
    break;
  case SNARLI_FUTURE:
    future_step(model, event);
    break;
  case SNARLI_EVENT:
    event_step(event);
    break;
  case SNARLI_SHARED:
  case SNARLI_TIMER:
  case SNARLI_MANAGED:
    break;
  case SNARLI_CHANNEL:
    channel_step(model, event);
    break;
  case SNARLI_SYSV:
    sysv_step(model, event);
    break;
  case SNARLI_FILE:
    file_step(model, event);
    break;
  }
}

static bool has_signal(const struct model *model, const struct process *process, uint32_t stack) {
  size_t count = trace_stack(model->trace, process->index, stack, NULL, 0);
  uint64_t *pcs = arena_resize(model->arena, NULL, (count + 1) * sizeof *pcs);
  trace_stack(model->trace, process->index, stack, pcs, count);
  bool has = false;
  for (size_t i = 0; i < count; i++)
    has |= pcs[i] == SNARLI_PC_SIGNAL;
  arena_release(model->arena, pcs);
  return has;
}

bool model_is_in_handler(struct model *model, const struct process *process, uint32_t stack) {
  if (!stack)
    return false;
  uint64_t key = (uint64_t)process->index << 32 | stack;
  uint32_t known = map_get(&model->handler_stacks, key);
  if (known == MAP_NONE) {
    known = has_signal(model, process, stack);
    map_put(model->arena, &model->handler_stacks, key, known);
  }
  return known;
}

void model_step(struct model *model, const struct trace_record *record, struct event *event) {
  *event = (struct event){.record = record, .info = trace_record_info(record->type)};
  if (model->over)
    thread_retire_if_over(model, model->over);
  model->over = NULL;
  if (!model->records++)
    model->first_time = record->time;
  model->last_time = record->time;
  event->process = process_enter(model, record, event);
  event->thread = thread_enter(model, event->process, record);
  if (makes_object(event))
    find_object(model, event);
  if (event->thread->wait.kind != WAIT_NONE && !belongs_to_wait(event->thread, event))
    wait_end(event->thread);
  if (event->object && is_destroy(record->type))
    object_retire(model, event->object);
  else
    family_step(model, event);
  event->touched = event->object && !event->object->is_gone ? event->object : NULL;
  if (event->object && (event->object->is_doubted || event->object->is_gone))
    event->object = NULL;
}
