/* SPDX-License-Identifier: MIT
 *
 * `with`: a block that holds something and gives it back however it is left: at its end, by break (which leaves this
 * block only), return or goto. If it could not be acquired the block is not entered.
 *
 *   snarl_with(&lock) { ... }                  a Lock, RLock, Condition, Semaphore or BoundedSemaphore
 *   snarl_with_for(&lock, SNARL_MS(50)) { ... }
 *   snarl_with_read(&rwlock) { ... }           and snarl_with_write
 *
 * Leaving by longjmp gives nothing back; by pthread_exit or an exception only in code compiled with -fexceptions.
 */
#ifndef SNARL_WITH_H
#define SNARL_WITH_H

#include <snarl/base.h>
#include <snarl/rwlock.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum snarli_with { SNARLI_WITH, SNARLI_WITH_READ, SNARLI_WITH_WRITE };

struct snarli_scope {
  struct snarl_object *object; /* NULL: it could not be acquired */
  struct snarl_site *site;
  enum snarli_with how;
  bool is_left;
};
struct snarli_scope snarli_scope_enter(struct snarl_object *object, enum snarli_with how, snarl_time timeout,
                                       struct snarl_site *site);
void snarli_scope_leave(struct snarli_scope *scope);

/* Whatever `with` takes, by its head: SNARL_INVALID for other objects. */
int snarl_acquire_at(struct snarl_object *object, snarl_time timeout, struct snarl_site *site);
int snarl_release_at(struct snarl_object *object, struct snarl_site *site);
#define snarl_acquire(thing) snarl_acquire_at(&(thing)->object, SNARL_FOREVER, SNARL_HERE)
#define snarl_acquire_for(thing, timeout) snarl_acquire_at(&(thing)->object, (timeout), SNARL_HERE)
#define snarl_release(thing) snarl_release_at(&(thing)->object, SNARL_HERE)

#define SNARLI_SCOPE(name, head, kind, timeout)                                                                        \
  for (struct snarli_scope name                                                                                        \
       __attribute__((cleanup(snarli_scope_leave))) = snarli_scope_enter((head), (kind), (timeout), SNARL_HERE);       \
       name.object && !name.is_left; name.is_left = true)
#define SNARLI_SCOPE_NAME SNARLI_PASTE(snarl_scope_, __LINE__)

#define snarl_with(thing) SNARLI_SCOPE(SNARLI_SCOPE_NAME, &(thing)->object, SNARLI_WITH, SNARL_FOREVER)
#define snarl_with_for(thing, timeout) SNARLI_SCOPE(SNARLI_SCOPE_NAME, &(thing)->object, SNARLI_WITH, (timeout))
#define snarl_with_read(rwlock) SNARLI_SCOPE(SNARLI_SCOPE_NAME, &(rwlock)->object, SNARLI_WITH_READ, SNARL_FOREVER)
#define snarl_with_write(rwlock) SNARLI_SCOPE(SNARLI_SCOPE_NAME, &(rwlock)->object, SNARLI_WITH_WRITE, SNARL_FOREVER)

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
