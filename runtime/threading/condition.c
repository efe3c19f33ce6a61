/* SPDX-License-Identifier: MIT
 *
 * Condition. Its list of waiters is guarded by the lock that it works on, as are those that were notified and have not
 * got the lock back yet (snarl_lock.notified): they are woken one by one by the releases of the lock, since nobody can
 * go on before. Each waiter sleeps on a word of its own, so a notification never reaches one that came later.
 */
#include "core/self.h"
#include "core/waiter.h"
#include "lock.h"
#include "multiprocessing/sync/robust.h"
#include <errno.h>
#include <snarl/condition.h>

static snarl_lock *lock_of(snarl_condition *condition) {
  if (__builtin_expect(snarli_is_pshared(&condition->object), 0))
    return snarli_pshared_lock_of(condition);
  return (snarl_lock *)(condition->lock ? condition->lock : &condition->own.object);
}

static int check_lock(const struct snarl_object *lock, struct snarl_site *site) {
  bool is_plain = lock->kind == SNARLI_ALIVE(LOCK);
  return is_plain ? SNARL_OK : snarli_check(lock, SNARLI_ALIVE(RLOCK), site);
}

static bool is_between(const snarl_condition *condition) {
  return condition && condition->object.kind == (SNARLI_ALIVE(CONDITION) | SNARLI_PSHARED);
}

/* SNARL_OK if the condition lives and the caller holds its lock. */
static int check(snarl_condition *condition, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)condition, SNARLI_ALIVE(CONDITION), site);
  if (__builtin_expect(status, 0))
    return status;
  snarl_lock *lock = lock_of(condition);
  status = check_lock(&lock->object, site);
  if (__builtin_expect(status, 0))
    return status;
  uint32_t owner = snarli_lock_owner(lock);
  if (__builtin_expect(owner && owner == snarli_ident(), 1))
    return SNARL_OK;
  return snarli_refuse(owner ? SNARL_NOT_OWNER : SNARL_NOT_HELD, condition, site);
}

/* Who was notified is woken by a release of the lock, or by the end of a thread that kept it. */
static void await(struct snarli_waiter *waiter, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  if (deadline > 0)
    snarli_spin(&waiter->word, 0);
  for (bool is_over = false; !is_over && !snarli_load(&waiter->word);) {
    snarli_owner_wait_begin(&waiter->word);
    is_over = !snarli_park(&waiter->word, 0, deadline);
    snarli_owner_wait_end();
  }
}

/* The lock is never free again, so nobody touches its lists but others who find that out, too. */
static void leave_forever(struct snarli_waiter *waiter) {
  snarli_registry_enter();
  if (waiter->list)
    snarli_waiter_remove(waiter);
  snarli_registry_leave();
}

/* Gives the lock up, waits, takes it again. */
static int wait_on(snarl_condition *condition, snarl_lock *lock, snarl_time timeout) {
  struct snarli_waiter waiter = {.word = 0};
  uint32_t depth = lock->depth, me = snarli_lock_owner(lock);
  snarli_waiter_append(&condition->waiters, &waiter);
  snarli_lock_give(lock);
  await(&waiter, timeout);
  int status = snarli_lock_take(lock, me, SNARL_FOREVER);
  if (status) {
    leave_forever(&waiter);
    return status;
  }
  lock->depth = depth;
  if (waiter.list)
    snarli_waiter_remove(&waiter);
  return waiter.word ? SNARL_OK : SNARL_TIMEOUT;
}

static SNARLI_COLD int wait_recorded(snarl_condition *condition, snarl_lock *lock, snarl_time timeout,
                                     struct snarl_site *site) {
  unsigned flags = snarli_flags(timeout);
  snarli_note(SNARLI_R_COND_WAIT_REQUESTED, flags, &condition->object, site);
  snarli_note(SNARLI_R_MUTEX_RELEASED, SNARLI_F_IN_WAIT, &lock->object, site);
  int status = wait_on(condition, lock, timeout);
  bool has_lock = status == SNARL_OK || status == SNARL_TIMEOUT;
  if (has_lock)
    snarli_note(SNARLI_R_MUTEX_ACQUIRED, SNARLI_F_IN_WAIT | flags, &lock->object, site);
  else
    snarli_note(SNARLI_R_MUTEX_FAILED, (unsigned)snarli_errno_of(status), &lock->object, site);
  snarli_note(SNARLI_R_COND_WAIT_RETURNED, (unsigned)snarli_errno_of(status), &condition->object, site);
  return status;
}

int snarl_condition_wait_at(snarl_condition *condition, snarl_time timeout, struct snarl_site *site) {
  if (is_between(condition))
    return snarli_pshared_condition_wait(condition, timeout, site);
  int status = check(condition, site);
  if (status)
    return status;
  snarl_lock *lock = lock_of(condition);
  return snarli_records() ? wait_recorded(condition, lock, timeout, site) : wait_on(condition, lock, timeout);
}

int snarl_condition_wait_for_at(snarl_condition *condition, snarl_time timeout, bool (*predicate)(void *),
                                void *argument, struct snarl_site *site) {
  int status = SNARL_OK;
  if (!predicate)
    status = snarli_refuse(SNARL_INVALID, condition, site);
  else if (!is_between(condition))
    status = check(condition, site);
  if (status)
    return status;
  snarl_time deadline = snarl_deadline(timeout);
  bool holds;
  while (!(holds = predicate(argument)) && status == SNARL_OK)
    status = snarl_condition_wait_at(condition, snarl_time_left(deadline), site);
  return holds && status == SNARL_TIMEOUT ? SNARL_OK : status;
}

/* As many records as threads wake up; one if none does. Before the first can wake up. */
static SNARLI_COLD void note_notify(snarl_condition *condition, int count, struct snarl_site *site) {
  if (count == INT32_MAX) {
    snarli_note(SNARLI_R_COND_BROADCAST, 0, &condition->object, site);
    return;
  }
  const struct snarli_waiter *waiter = condition->waiters;
  do {
    snarli_note(SNARLI_R_COND_SIGNALLED, 0, &condition->object, site);
    waiter = waiter ? waiter->next : NULL;
  } while (waiter && --count > 0);
}

static SNARLI_COLD int notify_slowly(snarl_condition *condition, int count, struct snarl_site *site) {
  if (is_between(condition))
    return snarli_pshared_condition_notify(condition, count, site);
  int status = count < 0 ? snarli_refuse(SNARL_INVALID, condition, site) : check(condition, site);
  if (status)
    return status;
  if (snarli_records() && count)
    note_notify(condition, count, site);
  snarl_lock *lock = lock_of(condition);
  int notified = 0;
  for (; notified < count && condition->waiters; notified++) {
    struct snarli_waiter *waiter = condition->waiters;
    snarli_waiter_remove(waiter);
    snarli_waiter_append(&lock->notified, waiter);
    snarli_store(&waiter->word, 1); /* one that spins tries for the lock from now on */
  }
  return notified;
}

/* Nobody waits and the caller holds the lock: nothing to do, and nobody to call. */
static inline bool is_idle(snarl_condition *condition, int count) {
  if (!condition || condition->object.kind != SNARLI_ALIVE(CONDITION) || snarli_may_record || count < 0)
    return false;
  const snarl_lock *lock = lock_of(condition);
  bool is_alive = lock->object.kind == SNARLI_ALIVE(LOCK) || lock->object.kind == SNARLI_ALIVE(RLOCK);
  uint32_t me = snarli_ident_known();
  return is_alive && me && snarli_lock_owner(lock) == me && !condition->waiters;
}

int snarl_condition_notify_at(snarl_condition *condition, int count, struct snarl_site *site) {
  return __builtin_expect(is_idle(condition, count), 1) ? 0 : notify_slowly(condition, count, site);
}

int snarl_condition_acquire_at(snarl_condition *condition, snarl_time timeout, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)condition, SNARLI_ALIVE(CONDITION), site);
  if (status)
    return status;
  struct snarl_object *lock = &lock_of(condition)->object;
  return snarli_kind(lock) == SNARLI_ALIVE(LOCK) ? snarl_lock_acquire_at((snarl_lock *)lock, timeout, site)
                                                 : snarl_rlock_acquire_at((snarl_rlock *)lock, timeout, site);
}

int snarl_condition_release_at(snarl_condition *condition, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)condition, SNARLI_ALIVE(CONDITION), site);
  if (status)
    return status;
  struct snarl_object *lock = &lock_of(condition)->object;
  return snarli_kind(lock) == SNARLI_ALIVE(LOCK) ? snarl_lock_release_at((snarl_lock *)lock, site)
                                                 : snarl_rlock_release_at((snarl_rlock *)lock, site);
}

int snarl_condition_init_at(snarl_condition *condition, const char *name, struct snarl_object *lock,
                            struct snarl_site *site) {
  int status = lock ? check_lock(lock, site) : SNARL_OK;
  if (!status)
    status = snarli_object_begin((struct snarl_object *)condition, SNARLI_ALIVE(CONDITION), name, site);
  if (status)
    return status;
  condition->lock = lock;
  condition->waiters = NULL;
  return lock ? SNARL_OK : snarl_rlock_init_at(&condition->own, name, site);
}

/* The lock, if it is another's, lies in the same shared mapping and is one between processes, too. */
int snarl_condition_init_shared_at(snarl_condition *condition, const char *name, struct snarl_object *lock,
                                   struct snarl_site *site) {
  if (lock && lock->kind != (SNARLI_ALIVE(LOCK) | SNARLI_PSHARED) &&
      lock->kind != (SNARLI_ALIVE(RLOCK) | SNARLI_PSHARED))
    return snarli_refuse(SNARL_INVALID, condition, site);
  return snarli_pshared_condition_init(condition, name, lock, site);
}

int snarl_condition_destroy_at(snarl_condition *condition, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)condition, SNARLI_ALIVE(CONDITION), site);
  if (!status && !is_between(condition) && __atomic_load_n(&condition->waiters, __ATOMIC_ACQUIRE))
    status = snarli_refuse(SNARL_IN_USE, condition, site);
  if (!status && !condition->lock)
    status = snarl_rlock_destroy_at(&condition->own, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_COND_DESTROYED, 0, &condition->object, site);
  snarli_object_end(&condition->object);
  return SNARL_OK;
}
