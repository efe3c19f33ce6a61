/* SPDX-License-Identifier: MIT
 *
 * What all objects have: a beginning, an end, a kind that is checked before each use, and an announcement in the trace.
 * Entered by any thread.
 */
#include "futures/future.h"
#include "self.h"
#include <errno.h>
#include <sched.h>
#include <snarl/barrier.h>
#include <snarl/queue.h>
#include <snarl/semaphore.h>
#include <string.h>

bool snarli_may_record;

static __attribute__((constructor)) void library_loaded(void) { snarli_may_record = snarli_is_recording(); }

#define ALIVE_MASK 0xffffff00u
#define IS_ALIVE(kind) (((kind)&ALIVE_MASK & ~SNARLI_PSHARED) == (SNARLI_ALIVE(LOCK) & ALIVE_MASK))
#define DEAD(kind) ((kind) ^ 0xff000000u)

int snarli_refuse(int status, const void *object, struct snarl_site *site) {
  if (snarli_records())
    snarli_record_aux(SNARLI_R_OBJECT_MISUSED, (unsigned)-status, snarli_address(object), snarli_place(site));
  return status;
}

SNARLI_COLD int snarli_check_failed(const struct snarl_object *object, struct snarl_site *site) {
  if (!object)
    return snarli_refuse(SNARL_INVALID, object, site);
  return snarli_refuse(IS_ALIVE(DEAD(object->kind)) ? SNARL_DESTROYED : SNARL_NOT_INITIALIZED, object, site);
}

SNARLI_COLD int snarli_refuse_kind(const struct snarl_object *object, struct snarl_site *site) {
  return object && IS_ALIVE(object->kind) ? snarli_refuse(SNARL_INVALID, object, site)
                                          : snarli_check_failed(object, site);
}

/* `announced` is 0 at first, ANNOUNCED at last, and in between tells in which process somebody is at it: a fork leaves
 * the child with a claim that nobody there will fulfil. */
enum { ANNOUNCED = 1 };
static uint32_t claim(void) { return (snarli_forks + 1) << 1; }

static bool is_queue(uint32_t kind) {
  return kind == SNARLI_ALIVE(QUEUE) || kind == SNARLI_ALIVE(LIFO_QUEUE) || kind == SNARLI_ALIVE(PRIORITY_QUEUE);
}

static void object_declare(struct snarl_object *object, const char *name, struct snarl_site *site) {
  uint32_t kind = snarli_kind(object);
  if (site && !site->function)
    site->function = "(declaration)";
  snarli_record_aux(SNARLI_R_OBJECT_DECLARED, kind & ~ALIVE_MASK, snarli_address(object), snarli_place(site));
  if (name)
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, 0, snarli_address(object), snarli_blob_string(name, strlen(name)));
  if (kind == SNARLI_ALIVE(SEMAPHORE) || kind == SNARLI_ALIVE(BOUNDED_SEMAPHORE))
    snarli_record_aux(SNARLI_R_SEM_VALUE, 0, snarli_address(object),
                      (uint32_t)((const snarl_semaphore *)object)->first);
  if (kind == SNARLI_ALIVE(BARRIER))
    snarli_record_aux(SNARLI_R_BARRIER_COUNT, 0, snarli_address(object),
                      (uint32_t)((const snarl_barrier *)object)->parties);
  if (kind == SNARLI_ALIVE(EXECUTOR))
    snarli_record_aux(SNARLI_R_EXECUTOR_LIMIT, 0, snarli_address(object),
                      snarli_executor_workers((const snarl_executor *)object));
  if (is_queue(kind) && ((const snarl_queue *)object)->limit <= UINT32_MAX)
    snarli_record_aux(SNARLI_R_QUEUE_LIMIT, 0, snarli_address(object), (uint32_t)((const snarl_queue *)object)->limit);
}

/* No record of the object comes before its announcement, whoever makes it; a handler that interrupted it would wait for
 * itself. */
SNARLI_COLD void snarli_announce(struct snarl_object *object) {
  if (snarli_is_pshared(
          object)) /* by its maker: twice would be two objects, and nobody can wait for one who is killed */
    return;
  sigset_t saved;
  snarli_signals_block(&saved);
  uint32_t state = snarli_load(&object->announced), mine = claim();
  while (state != ANNOUNCED) {
    if (state != mine && snarli_cas(&object->announced, &state, mine)) {
      object_declare(object, object->name, &object->site);
      snarli_store(&object->announced, ANNOUNCED);
      break;
    }
    sched_yield(); /* a few records, once in an object's life */
    state = snarli_load(&object->announced);
  }
  snarli_signals_restore(&saved);
}

/* What the try forms of pthread_mutex_lock and sem_wait fail with. */
static unsigned busy_of(enum snarli_record_type type) { return type == SNARLI_R_SEM_FAILED ? EAGAIN : EBUSY; }

/* The failed try before this one, if nothing came between them. */
static __thread struct { const void *object, *site; } last_failure __attribute__((tls_model("initial-exec")));

void snarli_note_failed(enum snarli_record_type type, int status, snarl_time timeout, struct snarl_object *object,
                        struct snarl_site *site) {
  bool is_try = timeout <= 0, is_again = is_try && last_failure.object == object && last_failure.site == site;
  last_failure.object = is_try ? object : NULL;
  last_failure.site = site;
  if (!is_again)
    snarli_note(type, is_try && status == SNARL_TIMEOUT ? busy_of(type) : (unsigned)snarli_errno_of(status), object,
                site);
}

int snarli_object_begin(struct snarl_object *object, uint32_t alive, const char *name, struct snarl_site *site) {
  if (!object)
    return snarli_refuse(SNARL_INVALID, object, site);
  *object = (struct snarl_object){.name = name, .kind = alive};
  if (site)
    object->site = (struct snarl_site){.file = site->file, .function = site->function, .line = site->line};
  if (snarli_records())
    snarli_announce(object);
  return SNARL_OK;
}

int snarli_check_room(const struct snarl_object *object, struct snarl_site *site) {
  if (!object)
    return snarli_refuse(SNARL_INVALID, object, site);
  bool is_there = snarli_is_pshared(object) && IS_ALIVE(object->kind);
  return is_there ? snarli_refuse(SNARL_EXISTS, object, site) : SNARL_OK;
}

int snarli_object_begin_shared(struct snarl_object *object, uint32_t alive, size_t size, const char *name,
                               struct snarl_site *site) {
  int status = snarli_check_room(object, site);
  if (status)
    return status;
  *object = (struct snarl_object){.kind = alive | SNARLI_PSHARED};
  if (name)
    memcpy(object, name, strnlen(name, SNARLI_NAME_ROOM - 1));
  if (snarli_records()) {
    snarli_mapped(object, size);
    object_declare(object, *(const char *)object ? (const char *)object : NULL, site);
    object->announced = ANNOUNCED;
  }
  return SNARL_OK;
}

void snarli_object_end(struct snarl_object *object) { object->kind = DEAD(object->kind); }
