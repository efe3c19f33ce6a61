/* SPDX-License-Identifier: MIT
 *
 * Lock and RLock: one thread at a time. Python's, but for one thing: only the thread that acquired a Lock may release
 * it (to pass a turn from one thread to another there are Semaphore and Event).
 *
 *   static snarl_lock accounts = SNARL_LOCK_INIT("accounts");
 *   snarl_with(&accounts) { balance -= amount; }
 *
 * Between processes: one that is in memory that they share, made by snarl_lock_init_shared, which refuses memory
 * in which one lives already (SNARL_EXISTS; as of all these types). Its name is copied. If its
 * owner ends or is killed, the next one to acquire it gets SNARL_RECOVERED: it holds the lock, repairs what the lock
 * protects and releases it. `with` does not enter its block then and leaves the lock to the next who asks, who is told
 * the same. The memory stays mapped while the lock is held.
 *
 * acquire: SNARL_OK, SNARL_TIMEOUT, SNARL_OWNER_ENDED; between processes SNARL_OK, SNARL_RECOVERED, SNARL_TIMEOUT. A
 * Lock's owner that acquires it again waits for itself, as in Python; an RLock's counts. release: SNARL_OK,
 * SNARL_NOT_OWNER, SNARL_NOT_HELD. destroy: SNARL_OK, SNARL_IN_USE.
 */
#ifndef SNARL_LOCK_H
#define SNARL_LOCK_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_waiter;

typedef struct snarl_lock {
  struct snarl_object object;
  uint32_t word, depth;
  struct snarli_waiter *notified;
  void *robust[3]; /* between processes: what the kernel finds it by when its owner ends */
} snarl_lock;

typedef struct snarl_rlock {
  struct snarl_object object;
  uint32_t word, depth;
  struct snarli_waiter *notified;
  void *robust[3]; /* between processes: what the kernel finds it by when its owner ends */
} snarl_rlock;

#define SNARL_LOCK_INIT(name)                                                                                          \
  {                                                                                                                    \
    SNARLI_OBJECT_INIT(LOCK, name), 0, 0, NULL, { NULL, NULL, NULL }                                                   \
  }
#define SNARL_RLOCK_INIT(name)                                                                                         \
  {                                                                                                                    \
    SNARLI_OBJECT_INIT(RLOCK, name), 0, 0, NULL, { NULL, NULL, NULL }                                                  \
  }

#define snarl_lock_init(lock, name) snarl_lock_init_at((lock), (name), SNARL_HERE)
#define snarl_lock_init_shared(lock, name) snarl_lock_init_shared_at((lock), (name), SNARL_HERE)
#define snarl_lock_destroy(lock) snarl_lock_destroy_at((lock), SNARL_HERE)
#define snarl_lock_acquire(lock, timeout) snarl_lock_acquire_at((lock), (timeout), SNARL_HERE)
#define snarl_lock_release(lock) snarl_lock_release_at((lock), SNARL_HERE)
int snarl_lock_init_at(snarl_lock *lock, const char *name, struct snarl_site *site);
int snarl_lock_init_shared_at(snarl_lock *lock, const char *name, struct snarl_site *site);
int snarl_lock_destroy_at(snarl_lock *lock, struct snarl_site *site);
int snarl_lock_acquire_at(snarl_lock *lock, snarl_time timeout, struct snarl_site *site);
int snarl_lock_release_at(snarl_lock *lock, struct snarl_site *site);
/* Somebody holds it. */
bool snarl_lock_locked(const snarl_lock *lock);

#define snarl_rlock_init(lock, name) snarl_rlock_init_at((lock), (name), SNARL_HERE)
#define snarl_rlock_init_shared(lock, name) snarl_rlock_init_shared_at((lock), (name), SNARL_HERE)
#define snarl_rlock_destroy(lock) snarl_rlock_destroy_at((lock), SNARL_HERE)
#define snarl_rlock_acquire(lock, timeout) snarl_rlock_acquire_at((lock), (timeout), SNARL_HERE)
#define snarl_rlock_release(lock) snarl_rlock_release_at((lock), SNARL_HERE)
int snarl_rlock_init_at(snarl_rlock *lock, const char *name, struct snarl_site *site);
int snarl_rlock_init_shared_at(snarl_rlock *lock, const char *name, struct snarl_site *site);
int snarl_rlock_destroy_at(snarl_rlock *lock, struct snarl_site *site);
int snarl_rlock_acquire_at(snarl_rlock *lock, snarl_time timeout, struct snarl_site *site);
int snarl_rlock_release_at(snarl_rlock *lock, struct snarl_site *site);
bool snarl_rlock_locked(const snarl_rlock *lock);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
