/* SPDX-License-Identifier: MIT
 *
 * Shared variables: plain memory whose accesses are in the trace, so that races on it are found without a compiler's
 * help. They order nothing and protect nothing; that remains the business of a lock.
 *
 *   static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
 *   snarl_with(&lock) snarl_shared_update(&counter, += 1);
 *   printf("%d\n", snarl_shared_read(&counter));
 */
#ifndef SNARL_SHARED_H
#define SNARL_SHARED_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define SNARL_SHARED(type)                                                                                             \
  struct {                                                                                                             \
    struct snarl_object object;                                                                                        \
    type value;                                                                                                        \
  }
#define SNARL_SHARED_INIT(name, initial)                                                                               \
  { SNARLI_OBJECT_INIT(SHARED, name), initial }

#define snarl_shared_init(variable, name) snarl_shared_init_at(&(variable)->object, (name), SNARL_HERE)
/* In memory that processes share; the name is copied. */
#define snarl_shared_init_shared(variable, name) snarl_shared_init_shared_at(&(variable)->object, (name), SNARL_HERE)
int snarl_shared_init_shared_at(struct snarl_object *variable, const char *name, struct snarl_site *site);
int snarl_shared_init_at(struct snarl_object *variable, const char *name, struct snarl_site *site);

/* The value. */
#define snarl_shared_read(variable) (snarl_shared_access_at(&(variable)->object, false, SNARL_HERE), (variable)->value)
/* The value written. */
#define snarl_shared_write(variable, to)                                                                               \
  (snarl_shared_access_at(&(variable)->object, true, SNARL_HERE), (variable)->value = (to))
/* Reads, then writes: snarl_shared_update(&counter, += 1). The new value. */
#define snarl_shared_update(variable, change)                                                                          \
  (snarl_shared_update_at(&(variable)->object, SNARL_HERE), (variable)->value change)
int snarl_shared_update_at(struct snarl_object *variable, struct snarl_site *site);
/* Says that the memory is read or written now, for accesses that have no macro. */
int snarl_shared_access_at(struct snarl_object *variable, bool is_write, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
