/* SPDX-License-Identifier: MIT
 *
 * Semaphore and BoundedSemaphore: one word with the permits in its lower half and the number of sleepers in its upper.
 * So a release knows from one instruction whether to wake somebody, and does not look at the object afterwards, when it
 * may be gone. Entered by any thread; release also by signal handlers.
 */
#include "core/runtime.h"
#include <snarl/semaphore.h>

#define SLEEPER (1ull << 32)

static inline uint32_t *permits_of(snarl_semaphore *semaphore) {
  return (uint32_t *)&semaphore->state + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* A permit if there is one; the state becomes `less` less. */
static inline bool take(snarl_semaphore *semaphore, uint64_t less) {
  uint64_t state = snarli_load64(&semaphore->state);
  while ((uint32_t)state)
    if (snarli_cas64(&semaphore->state, &state, state - less))
      return true;
  return false;
}

/* The time is over: a permit in the last moment, or one sleeper less. */
static bool take_or_leave(snarl_semaphore *semaphore) {
  uint64_t state = snarli_load64(&semaphore->state);
  bool is_taken;
  do
    is_taken = (uint32_t)state != 0;
  while (!snarli_cas64(&semaphore->state, &state, state - SLEEPER - is_taken));
  return is_taken;
}

static SNARLI_COLD int take_slowly(snarl_semaphore *semaphore, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  if (deadline <= 0)
    return SNARL_TIMEOUT;
  snarli_spin(permits_of(semaphore), 0);
  (void)snarli_add64(&semaphore->state, SLEEPER);
  while (!take(semaphore, SLEEPER + 1))
    if (!snarli_park_in(&semaphore->object, permits_of(semaphore), 0, deadline))
      return take_or_leave(semaphore) ? SNARL_OK : SNARL_TIMEOUT;
  return SNARL_OK;
}

static SNARLI_COLD int acquire_recorded(snarl_semaphore *semaphore, snarl_time timeout, struct snarl_site *site) {
  unsigned flags = snarli_flags(timeout);
  snarli_prepare(&semaphore->object, site);
  int status = take(semaphore, 1) ? SNARL_OK : SNARL_TIMEOUT;
  if (status && timeout > 0) {
    snarli_note(SNARLI_R_SEM_REQUESTED, flags, &semaphore->object, site);
    status = take(semaphore, 1) ? SNARL_OK : take_slowly(semaphore, timeout);
  }
  if (status)
    snarli_note_failed(SNARLI_R_SEM_FAILED, status, timeout, &semaphore->object, site);
  else
    snarli_note(SNARLI_R_SEM_ACQUIRED, flags, &semaphore->object, site);
  return status;
}

static inline int check(const snarl_semaphore *semaphore, struct snarl_site *site) {
  const struct snarl_object *object = (const struct snarl_object *)semaphore;
  if (__builtin_expect(object && snarli_kind(object) == SNARLI_ALIVE(BOUNDED_SEMAPHORE), 0))
    return SNARL_OK;
  return snarli_check_any(object, SNARLI_ALIVE(SEMAPHORE), site);
}

static SNARLI_COLD int acquire_slowly(snarl_semaphore *semaphore, snarl_time timeout, struct snarl_site *site) {
  int status = check(semaphore, site);
  if (status)
    return status;
  if (snarli_records())
    return acquire_recorded(semaphore, timeout, site);
  return take(semaphore, 1) ? SNARL_OK : take_slowly(semaphore, timeout);
}

/* Nothing is wrong, nothing is recorded: the usual case, which calls nobody and so needs no frame. */
static inline bool is_plain(const snarl_semaphore *semaphore) {
  return __builtin_expect(semaphore &&
                              (snarli_kind(&semaphore->object) == SNARLI_ALIVE(SEMAPHORE) ||
                               snarli_kind(&semaphore->object) == SNARLI_ALIVE(BOUNDED_SEMAPHORE)) &&
                              !snarli_may_record,
                          1);
}

int snarl_semaphore_acquire_at(snarl_semaphore *semaphore, snarl_time timeout, struct snarl_site *site) {
  if (is_plain(semaphore) && __builtin_expect(take(semaphore, 1), 1))
    return SNARL_OK;
  return acquire_slowly(semaphore, timeout, site);
}

static SNARLI_COLD void note_release(snarl_semaphore *semaphore, int count, struct snarl_site *site) {
  for (int i = 0; i < count; i++)
    snarli_note(SNARLI_R_SEM_POSTED, 0, &semaphore->object, site);
}

static SNARLI_COLD int too_many(snarl_semaphore *semaphore, bool is_noted, struct snarl_site *site) {
  if (is_noted) /* others released in between: take it back */
    snarli_note(SNARLI_R_SEM_POST_FAILED, (unsigned)snarli_errno_of(SNARL_TOO_MANY), &semaphore->object, site);
  return snarli_refuse(SNARL_TOO_MANY, semaphore, site);
}

static SNARLI_COLD int release_slowly(snarl_semaphore *semaphore, int count, struct snarl_site *site) {
  int status = check(semaphore, site);
  if (!status && count <= 0)
    status = snarli_refuse(SNARL_INVALID, semaphore, site);
  if (status)
    return status;
  uint64_t state = snarli_load64(&semaphore->state);
  bool is_noted = false, is_pshared = snarli_is_pshared(&semaphore->object);
  do {
    if ((uint32_t)state + (uint32_t)count > (uint32_t)semaphore->most)
      return too_many(semaphore, is_noted, site);
    if (!is_noted && snarli_records()) {
      note_release(semaphore, count, site);
      is_noted = true;
    }
  } while (!snarli_cas64(&semaphore->state, &state, state + (uint32_t)count));
  if (state >= SLEEPER)
    snarli_unpark_in(is_pshared, permits_of(semaphore), count);
  return SNARL_OK;
}

int snarl_semaphore_release_at(snarl_semaphore *semaphore, int count, struct snarl_site *site) {
  if (!is_plain(semaphore) || count <= 0)
    return release_slowly(semaphore, count, site);
  uint64_t state = snarli_load64(&semaphore->state);
  /* One instruction if nobody sleeps and there is room. */
  if (__builtin_expect(state + (uint32_t)count > (uint32_t)semaphore->most, 0) ||
      __builtin_expect(!snarli_cas64(&semaphore->state, &state, state + (uint32_t)count), 0))
    return release_slowly(semaphore, count, site);
  return SNARL_OK;
}

int snarl_semaphore_value(const snarl_semaphore *semaphore) {
  return semaphore ? (int)(uint32_t)snarli_load64(&semaphore->state) : 0;
}

static int init(snarl_semaphore *semaphore, uint32_t alive, const char *name, int value, int most,
                struct snarl_site *site) {
  if (!semaphore || value < 0)
    return snarli_refuse(SNARL_INVALID, semaphore, site);
  semaphore->state = (uint32_t)value;
  semaphore->first = value;
  semaphore->most = most;
  return snarli_object_begin(&semaphore->object, alive, name, site);
}

int snarl_semaphore_init_at(snarl_semaphore *semaphore, const char *name, int value, struct snarl_site *site) {
  return init(semaphore, SNARLI_ALIVE(SEMAPHORE), name, value, INT32_MAX, site);
}

int snarl_bounded_semaphore_init_at(snarl_semaphore *semaphore, const char *name, int value, struct snarl_site *site) {
  return init(semaphore, SNARLI_ALIVE(BOUNDED_SEMAPHORE), name, value, value, site);
}

static int init_shared(snarl_semaphore *semaphore, uint32_t alive, const char *name, int value, int most,
                       struct snarl_site *site) {
  if (!semaphore || value < 0)
    return snarli_refuse(SNARL_INVALID, semaphore, site);
  int status = snarli_check_room(&semaphore->object, site);
  if (status)
    return status;
  *semaphore = (snarl_semaphore){.state = (uint32_t)value, .first = value, .most = most};
  return snarli_object_begin_shared(&semaphore->object, alive, sizeof *semaphore, name, site);
}

int snarl_semaphore_init_shared_at(snarl_semaphore *semaphore, const char *name, int value, struct snarl_site *site) {
  return init_shared(semaphore, SNARLI_ALIVE(SEMAPHORE), name, value, INT32_MAX, site);
}

int snarl_bounded_semaphore_init_shared_at(snarl_semaphore *semaphore, const char *name, int value,
                                           struct snarl_site *site) {
  return init_shared(semaphore, SNARLI_ALIVE(BOUNDED_SEMAPHORE), name, value, value, site);
}

int snarl_semaphore_destroy_at(snarl_semaphore *semaphore, struct snarl_site *site) {
  int status = check(semaphore, site);
  /* Between processes sleepers may have been killed: their number says nothing. */
  if (!status && snarli_load64(&semaphore->state) >= SLEEPER && !snarli_is_pshared(&semaphore->object))
    status = snarli_refuse(SNARL_IN_USE, semaphore, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_SEM_DESTROYED, 0, &semaphore->object, site);
  snarli_object_end(&semaphore->object);
  return SNARL_OK;
}
