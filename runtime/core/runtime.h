/* SPDX-License-Identifier: MIT
 *
 * What the files of libsnarl share besides the seam: checking an object before its use, and recording. Entered by any
 * thread.
 */
#ifndef SNARLI_RUNTIME_H
#define SNARLI_RUNTIME_H

#include "seam.h"
#include <snarl/trace/recorder.h>

/* SNARL_TRACE was set when the library was loaded. */
extern bool snarli_may_record __attribute__((visibility("hidden")));

/* Whether this call is recorded: one branch when nothing is. */
static inline bool snarli_records(void) { return __builtin_expect(snarli_may_record, 0) && snarli_is_recording(); }

static inline uint64_t snarli_address(const volatile void *object) { return (uint64_t)(uintptr_t)object; }

static inline uint32_t snarli_place(struct snarl_site *site) {
  return site ? snarli_stack_of_source(&site->stack, site->function, site->file, site->line) : 0;
}

/* Says in the trace what the object is and what it is called, before its first record. */
void snarli_announce(struct snarl_object *object);

/* Whatever may be slow about recording a call, before it takes a lock and others wait for it. Only if snarli_records(),
 * like the following. */
static inline void snarli_prepare(struct snarl_object *object, struct snarl_site *site) {
  if (__builtin_expect(__atomic_load_n(&object->announced, __ATOMIC_ACQUIRE) != 1, 0))
    snarli_announce(object);
  (void)snarli_place(site);
}

/* Records something about an object. */
static inline void snarli_note(enum snarli_record_type type, unsigned arg, struct snarl_object *object,
                               struct snarl_site *site) {
  if (__builtin_expect(__atomic_load_n(&object->announced, __ATOMIC_ACQUIRE) != 1, 0))
    snarli_announce(object);
  snarli_record_aux(type, arg, snarli_address(object), snarli_place(site));
}

/* Records that a call with this timeout came back without what it asked for. A program that polls fails again and again
 * at one place: of a run of failed tries only the first is recorded. */
void snarli_note_failed(enum snarli_record_type type, int status, snarl_time timeout, struct snarl_object *object,
                        struct snarl_site *site);

/* The flags of a record of a call with this timeout. */
static inline unsigned snarli_flags(snarl_time timeout) {
  return timeout == SNARL_FOREVER ? 0 : timeout <= 0 ? SNARLI_F_TRY : SNARLI_F_TIMED;
}

/* A call is refused: records it and returns the status. */
int snarli_refuse(int status, const void *object, struct snarl_site *site);

/* SNARL_OK, or why this is no object of the kind `alive` (SNARLI_ALIVE(...)) that lives. */
int snarli_check_failed(const struct snarl_object *object, struct snarl_site *site);
static inline int snarli_check(const struct snarl_object *object, uint32_t alive, struct snarl_site *site) {
  if (__builtin_expect(object && object->kind == alive, 1))
    return SNARL_OK;
  return snarli_check_failed(object, site);
}

/* The same for an object that may also be one between processes. */
static inline int snarli_check_any(const struct snarl_object *object, uint32_t alive, struct snarl_site *site) {
  if (__builtin_expect(object && (object->kind & ~SNARLI_PSHARED) == alive, 1))
    return SNARL_OK;
  return snarli_check_failed(object, site);
}

/* The same for a switch over kinds: what is there, is one that cannot do this, or none. */
int snarli_refuse_kind(const struct snarl_object *object, struct snarl_site *site);

/* An object between processes. */
static inline bool snarli_is_pshared(const struct snarl_object *object) { return object->kind & SNARLI_PSHARED; }
/* Its kind, wherever it lies. */
static inline uint32_t snarli_kind(const struct snarl_object *object) { return object->kind & ~SNARLI_PSHARED; }
/* Sleeping and waking on a word of an object. Who wakes may find the object gone, so it says what it was. */
static inline bool snarli_park_in(const struct snarl_object *object, uint32_t *word, uint32_t expected,
                                  int64_t deadline) {
  return snarli_is_pshared(object) ? snarli_park_shared(word, expected, deadline)
                                   : snarli_park(word, expected, deadline);
}
static inline void snarli_unpark_in(bool is_pshared, uint32_t *word, int count) {
  if (is_pshared)
    (void)snarli_unpark_shared(word, count);
  else
    snarli_unpark(word, count);
}

/* The beginning and the end of an object's life. _end is called when nobody can be in it. */
int snarli_object_begin(struct snarl_object *object, uint32_t alive, const char *name, struct snarl_site *site);
/* SNARL_OK: nothing between processes lives there that others may be in. */
int snarli_check_room(const struct snarl_object *object, struct snarl_site *site);
int snarli_object_begin_shared(struct snarl_object *object, uint32_t alive, size_t size, const char *name,
                               struct snarl_site *site);
void snarli_object_end(struct snarl_object *object);

/* The errno that a record of a failed call carries. */
int snarli_errno_of(int status);

#define SNARLI_COLD __attribute__((noinline, cold))

#endif
