/* SPDX-License-Identifier: MIT
 *
 * Condition between processes. Who waits is not known here, only how many have come: a list of them would lead to the
 * stacks of processes that may have been killed. A waiter notes the number of the last notification when it begins and
 * sleeps until that has changed and a notification is left that nobody has taken up; `owed` counts these. So a
 * notification goes to one that waited before it, and if that one is killed before it takes it up, another finds it
 * when it looks again. Those who are notified are woken by the release of the lock, without which they could not go on.
 * All but the sleep is guarded by the lock that the Condition works on, wherever it lies in the
 * same mapping. Entered by any thread of any process that has the memory.
 */
#include "robust.h"

/* Where the lock lies from the condition on; 0: it is the condition's own. */
snarl_lock *snarli_pshared_lock_of(snarl_condition *condition) {
  intptr_t distance = (intptr_t)condition->lock;
  return (snarl_lock *)(distance ? (char *)condition + distance : (char *)&condition->own);
}

/* Takes up a notification that came after `then`. The lock is held. */
static bool take_up(snarl_condition *condition, uint32_t then) {
  if (condition->sequence == then || !condition->owed)
    return false;
  snarli_store(&condition->owed, condition->owed - 1);
  return true;
}

/* Until there may be a notification for one who has seen those up to *then. False: the time is over. */
static bool await(snarl_condition *condition, uint32_t *then, int64_t deadline) {
  if (deadline > 0)
    snarli_spin(&condition->sequence, *then);
  for (;;) {
    bool in_time = snarli_park_shared(&condition->sequence, *then, deadline);
    uint32_t now = snarli_load(&condition->sequence);
    if (!in_time || (now != *then && snarli_load(&condition->owed)))
      return in_time;
    *then = now; /* others have taken up all of them */
  }
}

/* Gives the lock up, waits, takes it again. SNARL_RECOVERED: held again, from an owner that has ended. */
static int wait_on(snarl_condition *condition, snarl_lock *lock, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  uint32_t depth = lock->depth, then = condition->sequence;
  int status;
  bool in_time, is_notified;
  condition->waiting++;
  do {
    snarli_robust_give(lock);
    in_time = await(condition, &then, deadline);
    status = snarli_robust_take(lock, SNARL_FOREVER);
    is_notified = take_up(condition, then);
    then = condition->sequence;
  } while (in_time && !is_notified && status == SNARL_OK);
  lock->depth = depth;
  if (!is_notified && condition->waiting)
    condition->waiting--;
  return status || is_notified ? status : SNARL_TIMEOUT;
}

static SNARLI_COLD int wait_recorded(snarl_condition *condition, snarl_lock *lock, snarl_time timeout,
                                     struct snarl_site *site) {
  unsigned flags = snarli_flags(timeout);
  snarli_note(SNARLI_R_COND_WAIT_REQUESTED, flags, &condition->object, site);
  snarli_note(SNARLI_R_MUTEX_RELEASED, SNARLI_F_IN_WAIT, &lock->object, site);
  int status = wait_on(condition, lock, timeout);
  snarli_note(SNARLI_R_MUTEX_ACQUIRED, SNARLI_F_IN_WAIT | flags | (status == SNARL_RECOVERED ? SNARLI_F_OWNER_DIED : 0),
              &lock->object, site);
  snarli_note(SNARLI_R_COND_WAIT_RETURNED, (unsigned)snarli_errno_of(status), &condition->object, site);
  return status;
}

/* SNARL_OK if the caller holds its lock. */
static int check(snarl_condition *condition, struct snarl_site *site) {
  snarl_lock *lock = snarli_pshared_lock_of(condition);
  if (snarli_robust_is_mine(lock))
    return SNARL_OK;
  return snarli_refuse(snarli_robust_locked(lock) ? SNARL_NOT_OWNER : SNARL_NOT_HELD, condition, site);
}

int snarli_pshared_condition_wait(snarl_condition *condition, snarl_time timeout, struct snarl_site *site) {
  int status = check(condition, site);
  if (status)
    return status;
  snarl_lock *lock = snarli_pshared_lock_of(condition);
  return snarli_records() ? wait_recorded(condition, lock, timeout, site) : wait_on(condition, lock, timeout);
}

/* As many records as are to wake up; one if none is. */
static SNARLI_COLD void note_notify(snarl_condition *condition, bool is_all, uint32_t count, struct snarl_site *site) {
  if (is_all)
    snarli_note(SNARLI_R_COND_BROADCAST, 0, &condition->object, site);
  for (uint32_t i = 0; !is_all && (i < count || i == 0); i++)
    snarli_note(SNARLI_R_COND_SIGNALLED, 0, &condition->object, site);
}

int snarli_pshared_condition_notify(snarl_condition *condition, int count, struct snarl_site *site) {
  int status = count < 0 ? snarli_refuse(SNARL_INVALID, condition, site) : check(condition, site);
  if (status)
    return status;
  uint32_t waiting = condition->waiting, notified = waiting < (uint32_t)count ? waiting : (uint32_t)count;
  if (snarli_records() && count)
    note_notify(condition, count == INT32_MAX, notified, site);
  if (!notified)
    return 0;
  /* In this order: killed in between, we leave at most a notification too many, never a waiter that nobody counts. */
  snarli_store(&condition->owed, condition->owed + notified);
  (void)snarli_add(&condition->sequence, 1);
  snarli_store(&condition->waiting, waiting - notified);
  snarli_robust_wake_later(snarli_pshared_lock_of(condition), &condition->sequence, count);
  return (int)notified;
}

int snarli_pshared_condition_init(snarl_condition *condition, const char *name, struct snarl_object *lock,
                                  struct snarl_site *site) {
  int status = snarli_object_begin_shared((struct snarl_object *)condition, SNARLI_ALIVE(CONDITION), sizeof *condition,
                                          name, site);
  if (status)
    return status;
  condition->lock = (struct snarl_object *)(lock ? (char *)lock - (char *)condition : 0);
  condition->sequence = condition->owed = condition->waiting = 0;
  return lock ? SNARL_OK : snarl_rlock_init_shared_at(&condition->own, name, site);
}
