/* SPDX-License-Identifier: MIT
 *
 * Lock and RLock: a futex word that names the owner. An uncontended pair is two atomic instructions; a thread that must
 * wait spins a little, marks the word as wanted and sleeps on it. The releaser wakes one, which competes with whoever
 * comes by. Entered by any thread.
 */
#include "lock.h"
#include "core/waiter.h"
#include "multiprocessing/sync/robust.h"
#include <limits.h>

/* The word is free or somebody's: mine if it is free. `as` is what to make of it. */
static bool take_free(snarl_lock *lock, uint32_t *seen, uint32_t as) {
  while (!(*seen & ~SNARLI_LOCK_WANTED))
    if (snarli_cas(&lock->word, seen, as))
      return true;
  return false;
}

/* Says that somebody is about to sleep. False: the word changed, look again. */
static bool mark_wanted(snarl_lock *lock, uint32_t *seen) {
  if (*seen & SNARLI_LOCK_WANTED)
    return true;
  if (!snarli_cas(&lock->word, seen, *seen | SNARLI_LOCK_WANTED))
    return false;
  *seen |= SNARLI_LOCK_WANTED;
  return true;
}

/* Sleeps until the word may have changed. */
static int sleep_once(snarl_lock *lock, uint32_t seen, int64_t deadline) {
  int status = SNARL_OK;
  snarli_owner_wait_begin(&lock->word);
  if (!snarli_is_alive(seen & ~SNARLI_LOCK_WANTED))
    status = SNARL_OWNER_ENDED;
  else if (!snarli_park(&lock->word, seen, deadline))
    status = SNARL_TIMEOUT;
  snarli_owner_wait_end();
  return status;
}

static SNARLI_COLD int take_slowly(snarl_lock *lock, uint32_t me, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  uint32_t seen = snarli_load(&lock->word);
  if (seen && deadline > 0) {
    snarli_spin(&lock->word, seen);
    seen = snarli_load(&lock->word);
  }
  for (uint32_t as = me;; as = me | SNARLI_LOCK_WANTED) { /* who slept does not know whether others still do */
    if (take_free(lock, &seen, as))
      return SNARL_OK;
    if (!mark_wanted(lock, &seen))
      continue;
    int status = sleep_once(lock, seen, deadline);
    uint32_t before = seen;
    seen = snarli_load(&lock->word);
    if (take_free(lock, &seen, me | SNARLI_LOCK_WANTED))
      return SNARL_OK;
    if (status == SNARL_TIMEOUT || (status == SNARL_OWNER_ENDED && seen == before))
      return status;
  }
}

static inline void now_mine(snarl_lock *lock) {
  lock->depth = 1;
  snarli_holds(1);
}

int snarli_lock_take(snarl_lock *lock, uint32_t me, snarl_time timeout) {
  uint32_t nobody = 0;
  int status = snarli_cas(&lock->word, &nobody, me) ? SNARL_OK : take_slowly(lock, me, timeout);
  if (status == SNARL_OK)
    now_mine(lock);
  return status;
}

/* Each release wakes one of those that a Condition has notified, since they can go on only now. */
static SNARLI_COLD void give_to_notified(snarl_lock *lock) {
  struct snarli_waiter *waiter = lock->notified;
  snarli_waiter_remove(waiter);
  uint32_t *word = &waiter->word;
  if (snarli_swap(&lock->word, 0) & SNARLI_LOCK_WANTED)
    snarli_unpark(&lock->word, 1);
  snarli_unpark(word, 1);
}

void snarli_lock_give(snarl_lock *lock) {
  snarli_holds(-1);
  if (__builtin_expect(lock->notified != NULL, 0))
    give_to_notified(lock);
  else if (__builtin_expect(snarli_swap(&lock->word, 0) & SNARLI_LOCK_WANTED, 0))
    snarli_unpark(&lock->word, 1);
}

/* What an owner's acquire does: an RLock counts, a Lock waits like anybody else. */
static inline bool takes_again(const snarl_lock *lock, uint32_t alive, uint32_t me) {
  return alive == SNARLI_ALIVE(RLOCK) && snarli_lock_owner(lock) == me;
}

static int take_again(snarl_lock *lock, struct snarl_site *site) {
  if (lock->depth == UINT32_MAX)
    return snarli_refuse(SNARL_TOO_MANY, lock, site);
  lock->depth++;
  return SNARL_OK;
}

static SNARLI_COLD int acquire_recorded(snarl_lock *lock, uint32_t alive, uint32_t me, snarl_time timeout,
                                        struct snarl_site *site) {
  unsigned flags = snarli_flags(timeout);
  snarli_prepare(&lock->object, site);
  int status = takes_again(lock, alive, me) ? take_again(lock, site) : snarli_lock_take(lock, me, SNARL_NOW);
  if (status == SNARL_TIMEOUT && timeout > 0) {
    snarli_note(SNARLI_R_MUTEX_REQUESTED, flags, &lock->object, site);
    status = snarli_lock_take(lock, me, timeout);
  }
  if (status == SNARL_OK)
    snarli_note(SNARLI_R_MUTEX_ACQUIRED, flags, &lock->object, site);
  else
    snarli_note_failed(SNARLI_R_MUTEX_FAILED, status, timeout, &lock->object, site);
  return status;
}

static inline bool is_between(const snarl_lock *lock, uint32_t alive) {
  return lock && lock->object.kind == (alive | SNARLI_PSHARED);
}

static SNARLI_COLD int acquire_slowly(snarl_lock *lock, uint32_t alive, snarl_time timeout, struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)lock, alive, site);
  if (status)
    return status;
  uint32_t me = snarli_ident();
  if (!me)
    return SNARL_NO_MEMORY;
  if (snarli_records())
    return acquire_recorded(lock, alive, me, timeout, site);
  return takes_again(lock, alive, me) ? take_again(lock, site) : snarli_lock_take(lock, me, timeout);
}

/* Nothing is wrong, nothing is recorded: the usual case, which calls nobody and so needs no frame. */
static inline bool is_plain(const snarl_lock *lock, uint32_t alive) {
  return __builtin_expect(lock && lock->object.kind == alive && !snarli_may_record && snarli_ident_known(), 1);
}

static inline int acquire(snarl_lock *lock, uint32_t alive, snarl_time timeout, struct snarl_site *site) {
  uint32_t nobody = 0;
  if (is_between(lock, alive))
    return snarli_robust_acquire(lock, timeout, site);
  if (!is_plain(lock, alive) || __builtin_expect(!snarli_cas(&lock->word, &nobody, snarli_ident_known()), 0))
    return acquire_slowly(lock, alive, timeout, site);
  now_mine(lock);
  return SNARL_OK;
}

static SNARLI_COLD int release_slowly(snarl_lock *lock, uint32_t alive, struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)lock, alive, site);
  if (status)
    return status;
  uint32_t owner = snarli_lock_owner(lock);
  if (!owner || owner != snarli_ident_known())
    return snarli_refuse(owner ? SNARL_NOT_OWNER : SNARL_NOT_HELD, lock, site);
  if (snarli_records())
    snarli_note(SNARLI_R_MUTEX_RELEASED, 0, &lock->object, site);
  if (lock->depth > 1)
    lock->depth--;
  else
    snarli_lock_give(lock);
  return SNARL_OK;
}

static SNARLI_COLD int wake_one(uint32_t *word) {
  snarli_unpark(word, 1);
  return SNARL_OK;
}

static inline int release(snarl_lock *lock, uint32_t alive, struct snarl_site *site) {
  if (is_between(lock, alive))
    return snarli_robust_release(lock, site);
  if (!is_plain(lock, alive) || __builtin_expect(snarli_lock_owner(lock) != snarli_ident_known(), 0) ||
      __builtin_expect(lock->depth > 1 || lock->notified, 0))
    return release_slowly(lock, alive, site);
  snarli_holds(-1);
  return __builtin_expect(snarli_swap(&lock->word, 0) & SNARLI_LOCK_WANTED, 0) ? wake_one(&lock->word) : SNARL_OK;
}

static int init(snarl_lock *lock, uint32_t alive, const char *name, struct snarl_site *site) {
  if (lock)
    *lock = (snarl_lock){.word = 0};
  return snarli_object_begin((struct snarl_object *)lock, alive, name, site);
}

static int destroy(snarl_lock *lock, uint32_t alive, struct snarl_site *site) {
  if (is_between(lock, alive))
    return snarli_robust_destroy(lock, site);
  int status = snarli_check((const struct snarl_object *)lock, alive, site);
  if (!status && snarli_load(&lock->word))
    status = snarli_refuse(SNARL_IN_USE, lock, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_MUTEX_DESTROYED, 0, &lock->object, site);
  snarli_object_end(&lock->object);
  return SNARL_OK;
}

static bool is_locked(const snarl_lock *lock) {
  return lock && (snarli_is_pshared(&lock->object) ? snarli_robust_locked(lock) : snarli_lock_owner(lock) != 0);
}

int snarl_lock_init_at(snarl_lock *lock, const char *name, struct snarl_site *site) {
  return init(lock, SNARLI_ALIVE(LOCK), name, site);
}
int snarl_lock_init_shared_at(snarl_lock *lock, const char *name, struct snarl_site *site) {
  return snarli_robust_init(lock, SNARLI_ALIVE(LOCK), name, site);
}
int snarl_lock_destroy_at(snarl_lock *lock, struct snarl_site *site) { return destroy(lock, SNARLI_ALIVE(LOCK), site); }
int snarl_lock_acquire_at(snarl_lock *lock, snarl_time timeout, struct snarl_site *site) {
  return acquire(lock, SNARLI_ALIVE(LOCK), timeout, site);
}
int snarl_lock_release_at(snarl_lock *lock, struct snarl_site *site) { return release(lock, SNARLI_ALIVE(LOCK), site); }
bool snarl_lock_locked(const snarl_lock *lock) { return is_locked(lock); }

int snarl_rlock_init_at(snarl_rlock *lock, const char *name, struct snarl_site *site) {
  return init((snarl_lock *)lock, SNARLI_ALIVE(RLOCK), name, site);
}
int snarl_rlock_init_shared_at(snarl_rlock *lock, const char *name, struct snarl_site *site) {
  return snarli_robust_init((snarl_lock *)lock, SNARLI_ALIVE(RLOCK), name, site);
}
int snarl_rlock_destroy_at(snarl_rlock *lock, struct snarl_site *site) {
  return destroy((snarl_lock *)lock, SNARLI_ALIVE(RLOCK), site);
}
int snarl_rlock_acquire_at(snarl_rlock *lock, snarl_time timeout, struct snarl_site *site) {
  return acquire((snarl_lock *)lock, SNARLI_ALIVE(RLOCK), timeout, site);
}
int snarl_rlock_release_at(snarl_rlock *lock, struct snarl_site *site) {
  return release((snarl_lock *)lock, SNARLI_ALIVE(RLOCK), site);
}
bool snarl_rlock_locked(const snarl_rlock *lock) { return is_locked((const snarl_lock *)lock); }
