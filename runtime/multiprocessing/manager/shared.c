/* SPDX-License-Identifier: MIT
 *
 * What processes share by name in a manager's memory: locks and the like, values and arrays. The manager's process has
 * no part in their use. Entered by any thread of any process that has the memory.
 */
#include "client.h"
#include <snarl/barrier.h>
#include <snarl/condition.h>
#include <snarl/event.h>
#include <snarl/semaphore.h>
#include <snarl/shared_things.h>

static int make_lock(void *object, const struct region_make *how) {
  return snarl_lock_init_shared_at((snarl_lock *)object, how->name, how->site);
}
static int make_rlock(void *object, const struct region_make *how) {
  return snarl_rlock_init_shared_at((snarl_rlock *)object, how->name, how->site);
}
static int make_semaphore(void *object, const struct region_make *how) {
  return snarl_semaphore_init_shared_at((snarl_semaphore *)object, how->name, (int)how->number, how->site);
}
static int make_bounded(void *object, const struct region_make *how) {
  return snarl_bounded_semaphore_init_shared_at((snarl_semaphore *)object, how->name, (int)how->number, how->site);
}
static int make_event(void *object, const struct region_make *how) {
  return snarl_event_init_shared_at((snarl_event *)object, how->name, how->site);
}
static int make_condition(void *object, const struct region_make *how) {
  return snarl_condition_init_shared_at((snarl_condition *)object, how->name, NULL, how->site);
}
static int make_barrier(void *object, const struct region_make *how) {
  return snarl_barrier_init_shared_at((snarl_barrier *)object, how->name, (int)how->number, how->site);
}
static int make_value(void *object, const struct region_make *how) {
  struct snarl_object *shared = how->shared ? (struct snarl_object *)(void *)((char *)object + how->shared) : NULL;
  return snarli_value_init((snarl_rlock *)object, shared, how->name, how->site);
}

static const struct {
  uint32_t kind;
  size_t size;
  int (*make)(void *object, const struct region_make *how);
} things[] = {
    [SNARLI_SHARED_LOCK] = {SNARLI_ALIVE(LOCK), sizeof(snarl_lock), make_lock},
    [SNARLI_SHARED_RLOCK] = {SNARLI_ALIVE(RLOCK), sizeof(snarl_rlock), make_rlock},
    [SNARLI_SHARED_SEMAPHORE] = {SNARLI_ALIVE(SEMAPHORE), sizeof(snarl_semaphore), make_semaphore},
    [SNARLI_SHARED_BOUNDED] = {SNARLI_ALIVE(BOUNDED_SEMAPHORE), sizeof(snarl_semaphore), make_bounded},
    [SNARLI_SHARED_EVENT] = {SNARLI_ALIVE(EVENT), sizeof(snarl_event), make_event},
    [SNARLI_SHARED_CONDITION] = {SNARLI_ALIVE(CONDITION), sizeof(snarl_condition), make_condition},
    [SNARLI_SHARED_BARRIER] = {SNARLI_ALIVE(BARRIER), sizeof(snarl_barrier), make_barrier},
    [SNARLI_SHARED_VALUE] = {SNARLI_ALIVE(SHARED), 0, make_value},
    [SNARLI_SHARED_ARRAY] = {SNARLI_ALIVE(SHARED) ^ 1u << 16, 0, make_value},
};

static __thread int refusal;

int snarl_manager_refusal(void) { return refusal; }

void *snarli_shared_thing_of(snarl_manager *manager, struct snarli_shared_thing asked, const char *name,
                             struct snarl_site *site) {
  refusal = snarli_check((const struct snarl_object *)manager, SNARLI_ALIVE(MANAGER), site);
  if (refusal)
    return NULL;
  struct region_make how = {.name = name, .number = asked.number, .shared = asked.shared, .site = site};
  how.kind = things[asked.what].kind;
  how.make = things[asked.what].make;
  how.size = asked.size ? asked.size : things[asked.what].size;
  void *object = snarli_region_object(&manager->inside->region, &how, &refusal);
  if (!object && (refusal == SNARL_INVALID || refusal == SNARL_WRONG_KIND))
    (void)snarli_refuse(SNARL_INVALID, manager, site);
  return object;
}
