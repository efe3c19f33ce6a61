/* SPDX-License-Identifier: MIT
 *
 * RWLock: many readers or one writer. Writers come first: while one waits, no new reader gets in. So a thread that
 * reads already and acquires for reading once more may wait for ever, for a writer that waits for it.
 *
 * acquire: SNARL_OK, SNARL_TIMEOUT, SNARL_OWNER_ENDED (the writer). release: SNARL_OK, SNARL_NOT_OWNER, SNARL_NOT_HELD;
 * that a thread releases another's reading cannot be told here, but is seen in the trace.
 */
#ifndef SNARL_RWLOCK_H
#define SNARL_RWLOCK_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_waiter;

typedef struct snarl_rwlock {
  struct snarl_object object;
  uint32_t word, writer, guard, writers;
  struct snarli_waiter *waiters;
} snarl_rwlock;

#define SNARL_RWLOCK_INIT(name)                                                                                        \
  { SNARLI_OBJECT_INIT(RWLOCK, name), 0, 0, 0, 0, NULL }

#define snarl_rwlock_init(lock, name) snarl_rwlock_init_at((lock), (name), SNARL_HERE)
#define snarl_rwlock_destroy(lock) snarl_rwlock_destroy_at((lock), SNARL_HERE)
#define snarl_rwlock_acquire_read(lock, timeout) snarl_rwlock_acquire_read_at((lock), (timeout), SNARL_HERE)
#define snarl_rwlock_release_read(lock) snarl_rwlock_release_read_at((lock), SNARL_HERE)
#define snarl_rwlock_acquire_write(lock, timeout) snarl_rwlock_acquire_write_at((lock), (timeout), SNARL_HERE)
#define snarl_rwlock_release_write(lock) snarl_rwlock_release_write_at((lock), SNARL_HERE)
int snarl_rwlock_init_at(snarl_rwlock *lock, const char *name, struct snarl_site *site);
int snarl_rwlock_destroy_at(snarl_rwlock *lock, struct snarl_site *site);
int snarl_rwlock_acquire_read_at(snarl_rwlock *lock, snarl_time timeout, struct snarl_site *site);
int snarl_rwlock_release_read_at(snarl_rwlock *lock, struct snarl_site *site);
int snarl_rwlock_acquire_write_at(snarl_rwlock *lock, snarl_time timeout, struct snarl_site *site);
int snarl_rwlock_release_write_at(snarl_rwlock *lock, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
