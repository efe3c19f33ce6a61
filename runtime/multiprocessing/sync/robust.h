/* SPDX-License-Identifier: MIT
 *
 * Lock and RLock between processes from the inside: for lock.c, which sends them here, and for the Condition. Entered
 * by any thread of any process that has the memory.
 */
#ifndef SNARLI_ROBUST_H
#define SNARLI_ROBUST_H

#include "core/runtime.h"
#include <snarl/condition.h>
#include <snarl/lock.h>

int snarli_robust_init(snarl_lock *lock, uint32_t alive, const char *name, struct snarl_site *site);
int snarli_robust_acquire(snarl_lock *lock, snarl_time timeout, struct snarl_site *site);
int snarli_robust_release(snarl_lock *lock, struct snarl_site *site);
int snarli_robust_destroy(snarl_lock *lock, struct snarl_site *site);
bool snarli_robust_locked(const snarl_lock *lock);
/* The caller holds it. */
bool snarli_robust_is_mine(const snarl_lock *lock);
/* The calling thread can own such locks: asked before _take, but by one that holds or has held one. */
bool snarli_robust_ready(void);
/* Without a record or a check. SNARL_RECOVERED: taken, from an owner that has ended. */
int snarli_robust_take(snarl_lock *lock, snarl_time timeout);
void snarli_robust_give(snarl_lock *lock);
/* The caller holds it, and wakes so many that sleep on a word of the same mapping when it gives it: they could not go
 * on before. */
void snarli_robust_wake_later(snarl_lock *lock, uint32_t *word, int count);
/* The caller has just got SNARL_RECOVERED from a Lock, an RLock or a Condition: releases it and tells the next the
 * same. */
void snarli_robust_leave(struct snarl_object *object, struct snarl_site *site);

/* A Condition between processes, by the lock that it works on. */
snarl_lock *snarli_pshared_lock_of(snarl_condition *condition);
int snarli_pshared_condition_init(snarl_condition *condition, const char *name, struct snarl_object *lock,
                                  struct snarl_site *site);
int snarli_pshared_condition_wait(snarl_condition *condition, snarl_time timeout, struct snarl_site *site);
int snarli_pshared_condition_notify(snarl_condition *condition, int count, struct snarl_site *site);

#endif
