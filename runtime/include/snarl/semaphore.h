/* SPDX-License-Identifier: MIT
 *
 * Semaphore and BoundedSemaphore: a number of permits. Anybody may release, signal handlers too. A bounded one refuses
 * to have more permits than it began with, which is how a release too many comes to light.
 *
 *   static snarl_semaphore slots = SNARL_SEMAPHORE_INIT("slots", 3);
 *   snarl_with(&slots) { at most three threads are here }
 *
 * Between processes: in memory that they share, made by ..._init_shared; the name is copied. Permits belong to nobody:
 * a process that is killed takes those that it has acquired along.
 *
 * acquire: SNARL_OK, SNARL_TIMEOUT. release: SNARL_OK, SNARL_INVALID (not a positive count), SNARL_TOO_MANY.
 */
#ifndef SNARL_SEMAPHORE_H
#define SNARL_SEMAPHORE_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_semaphore {
  struct snarl_object object;
  uint64_t state;
  int32_t first, most;
} snarl_semaphore;

#define SNARL_SEMAPHORE_INIT(name, value)                                                                              \
  { SNARLI_OBJECT_INIT(SEMAPHORE, name), (value), (value), INT32_MAX }
#define SNARL_BOUNDED_SEMAPHORE_INIT(name, value)                                                                      \
  { SNARLI_OBJECT_INIT(BOUNDED_SEMAPHORE, name), (value), (value), (value) }

#define snarl_semaphore_init(semaphore, name, value) snarl_semaphore_init_at((semaphore), (name), (value), SNARL_HERE)
#define snarl_bounded_semaphore_init(semaphore, name, value)                                                           \
  snarl_bounded_semaphore_init_at((semaphore), (name), (value), SNARL_HERE)
#define snarl_semaphore_init_shared(semaphore, name, value)                                                            \
  snarl_semaphore_init_shared_at((semaphore), (name), (value), SNARL_HERE)
#define snarl_bounded_semaphore_init_shared(semaphore, name, value)                                                    \
  snarl_bounded_semaphore_init_shared_at((semaphore), (name), (value), SNARL_HERE)
#define snarl_semaphore_destroy(semaphore) snarl_semaphore_destroy_at((semaphore), SNARL_HERE)
#define snarl_semaphore_acquire(semaphore, timeout) snarl_semaphore_acquire_at((semaphore), (timeout), SNARL_HERE)
#define snarl_semaphore_release(semaphore, count) snarl_semaphore_release_at((semaphore), (count), SNARL_HERE)
/* SNARL_INVALID: the value is negative. */
int snarl_semaphore_init_at(snarl_semaphore *semaphore, const char *name, int value, struct snarl_site *site);
int snarl_bounded_semaphore_init_at(snarl_semaphore *semaphore, const char *name, int value, struct snarl_site *site);
int snarl_semaphore_init_shared_at(snarl_semaphore *semaphore, const char *name, int value, struct snarl_site *site);
int snarl_bounded_semaphore_init_shared_at(snarl_semaphore *semaphore, const char *name, int value,
                                           struct snarl_site *site);
int snarl_semaphore_destroy_at(snarl_semaphore *semaphore, struct snarl_site *site);
int snarl_semaphore_acquire_at(snarl_semaphore *semaphore, snarl_time timeout, struct snarl_site *site);
int snarl_semaphore_release_at(snarl_semaphore *semaphore, int count, struct snarl_site *site);
/* The permits that are left now. */
int snarl_semaphore_value(const snarl_semaphore *semaphore);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
