/* SPDX-License-Identifier: MIT
 *
 * Condition: threads that hold a lock wait until another says that something has changed. It works on an RLock of its
 * own, or on a Lock or RLock that is handed to it; a wait gives the lock up completely, however often it was acquired,
 * and has it again when it returns.
 *
 *   snarl_with(&buffer->condition) {
 *     snarl_condition_wait_until(&buffer->condition, SNARL_FOREVER, buffer->count > 0);
 *     ...
 *     snarl_condition_notify(&buffer->condition, 1);
 *   }
 *
 * wait: SNARL_OK when notified, SNARL_TIMEOUT, SNARL_NOT_OWNER; SNARL_OWNER_ENDED: the lock could not be had back.
 *
 * Between processes: in memory that they share, made by ..._init_shared; so is the lock, which lies in the same
 * mapping. The name is copied. A wait that finds that the lock's last owner has ended returns SNARL_RECOVERED with the
 * lock held; a wait may also be notified because another was killed; those that were killed still count in what notify
 * returns.
 *
 * notify: how many will wake up (those who waited longest), SNARL_NOT_OWNER. Without a wait nothing is kept.
 */
#ifndef SNARL_CONDITION_H
#define SNARL_CONDITION_H

#include <snarl/lock.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_condition {
  struct snarl_object object;
  struct snarl_object *lock; /* NULL: its own */
  struct snarli_waiter *waiters;
  snarl_rlock own;
  uint32_t sequence, owed, waiting; /* between processes, where `lock` is a distance */
} snarl_condition;

#define SNARL_CONDITION_INIT(name)                                                                                     \
  { SNARLI_OBJECT_INIT(CONDITION, name), NULL, NULL, SNARL_RLOCK_INIT(name), 0, 0, 0 }
#define SNARL_CONDITION_INIT_ON(name, lock)                                                                            \
  { SNARLI_OBJECT_INIT(CONDITION, name), &(lock)->object, NULL, SNARL_RLOCK_INIT(name), 0, 0, 0 }

#define snarl_condition_init(condition, name) snarl_condition_init_at((condition), (name), NULL, SNARL_HERE)
#define snarl_condition_init_on(condition, name, lock)                                                                 \
  snarl_condition_init_at((condition), (name), &(lock)->object, SNARL_HERE)
#define snarl_condition_init_shared(condition, name)                                                                   \
  snarl_condition_init_shared_at((condition), (name), NULL, SNARL_HERE)
#define snarl_condition_init_shared_on(condition, name, lock)                                                          \
  snarl_condition_init_shared_at((condition), (name), &(lock)->object, SNARL_HERE)
#define snarl_condition_destroy(condition) snarl_condition_destroy_at((condition), SNARL_HERE)
#define snarl_condition_acquire(condition, timeout) snarl_condition_acquire_at((condition), (timeout), SNARL_HERE)
#define snarl_condition_release(condition) snarl_condition_release_at((condition), SNARL_HERE)
#define snarl_condition_wait(condition, timeout) snarl_condition_wait_at((condition), (timeout), SNARL_HERE)
#define snarl_condition_wait_for(condition, timeout, predicate, argument)                                              \
  snarl_condition_wait_for_at((condition), (timeout), (predicate), (argument), SNARL_HERE)
#define snarl_condition_notify(condition, count) snarl_condition_notify_at((condition), (count), SNARL_HERE)
#define snarl_condition_notify_all(condition) snarl_condition_notify_at((condition), INT32_MAX, SNARL_HERE)
int snarl_condition_init_at(snarl_condition *condition, const char *name, struct snarl_object *lock,
                            struct snarl_site *site);
int snarl_condition_init_shared_at(snarl_condition *condition, const char *name, struct snarl_object *lock,
                                   struct snarl_site *site);
int snarl_condition_destroy_at(snarl_condition *condition, struct snarl_site *site);
int snarl_condition_acquire_at(snarl_condition *condition, snarl_time timeout, struct snarl_site *site);
int snarl_condition_release_at(snarl_condition *condition, struct snarl_site *site);
int snarl_condition_wait_at(snarl_condition *condition, snarl_time timeout, struct snarl_site *site);
/* Waits until the predicate holds, which is asked with the lock held. */
int snarl_condition_wait_for_at(snarl_condition *condition, snarl_time timeout, bool (*predicate)(void *),
                                void *argument, struct snarl_site *site);
int snarl_condition_notify_at(snarl_condition *condition, int count, struct snarl_site *site);

/* The same for an expression; its value is the status. */
#define snarl_condition_wait_until(condition, timeout, expression)                                                     \
  __extension__({                                                                                                      \
    snarl_time snarl_deadline_here = snarl_deadline(timeout);                                                          \
    int snarl_status_here = SNARL_OK;                                                                                  \
    while (!(expression) && snarl_status_here == SNARL_OK)                                                             \
      snarl_status_here = snarl_condition_wait((condition), snarl_time_left(snarl_deadline_here));                     \
    snarl_status_here == SNARL_TIMEOUT && (expression) ? SNARL_OK : snarl_status_here;                                 \
  })

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
