/* SPDX-License-Identifier: MIT
 *
 * What `with` does, by the kind of the thing. Entered by any thread.
 */
#include "multiprocessing/sync/robust.h"
#include <snarl/condition.h>
#include <snarl/lock.h>
#include <snarl/semaphore.h>
#include <snarl/with.h>

int snarl_acquire_at(struct snarl_object *object, snarl_time timeout, struct snarl_site *site) {
  switch (object ? snarli_kind(object) : 0) {
  case SNARLI_ALIVE(LOCK):
    return snarl_lock_acquire_at((snarl_lock *)object, timeout, site);
  case SNARLI_ALIVE(RLOCK):
    return snarl_rlock_acquire_at((snarl_rlock *)object, timeout, site);
  case SNARLI_ALIVE(CONDITION):
    return snarl_condition_acquire_at((snarl_condition *)object, timeout, site);
  case SNARLI_ALIVE(SEMAPHORE):
  case SNARLI_ALIVE(BOUNDED_SEMAPHORE):
    return snarl_semaphore_acquire_at((snarl_semaphore *)object, timeout, site);
  default:
    return snarli_refuse_kind(object, site);
  }
}

int snarl_release_at(struct snarl_object *object, struct snarl_site *site) {
  switch (object ? snarli_kind(object) : 0) {
  case SNARLI_ALIVE(LOCK):
    return snarl_lock_release_at((snarl_lock *)object, site);
  case SNARLI_ALIVE(RLOCK):
    return snarl_rlock_release_at((snarl_rlock *)object, site);
  case SNARLI_ALIVE(CONDITION):
    return snarl_condition_release_at((snarl_condition *)object, site);
  case SNARLI_ALIVE(SEMAPHORE):
  case SNARLI_ALIVE(BOUNDED_SEMAPHORE):
    return snarl_semaphore_release_at((snarl_semaphore *)object, 1, site);
  default:
    return snarli_refuse_kind(object, site);
  }
}

static int enter(struct snarl_object *object, enum snarli_with how, snarl_time timeout, struct snarl_site *site) {
  if (how == SNARLI_WITH)
    return snarl_acquire_at(object, timeout, site);
  return how == SNARLI_WITH_READ ? snarl_rwlock_acquire_read_at((snarl_rwlock *)object, timeout, site)
                                 : snarl_rwlock_acquire_write_at((snarl_rwlock *)object, timeout, site);
}

struct snarli_scope snarli_scope_enter(struct snarl_object *object, enum snarli_with how, snarl_time timeout,
                                       struct snarl_site *site) {
  struct snarli_scope scope = {.site = site, .how = how};
  int status = enter(object, how, timeout, site);
  if (status == SNARL_OK)
    scope.object = object;
  else if (status == SNARL_RECOVERED)
    snarli_robust_leave(object, site);
  return scope;
}

void snarli_scope_leave(struct snarli_scope *scope) {
  if (!scope->object)
    return;
  if (scope->how == SNARLI_WITH)
    (void)snarl_release_at(scope->object, scope->site);
  else if (scope->how == SNARLI_WITH_READ)
    (void)snarl_rwlock_release_read_at((snarl_rwlock *)scope->object, scope->site);
  else
    (void)snarl_rwlock_release_write_at((snarl_rwlock *)scope->object, scope->site);
}
