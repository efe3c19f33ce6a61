/* SPDX-License-Identifier: MIT
 *
 * What a Manager hands out besides dicts and lists: Queue, Lock, RLock, Semaphore, BoundedSemaphore, Event, Condition,
 * Barrier, Value and Array, in memory that it shares with all who have it. They are those of snarl/lock.h and so on,
 * made by
 * ..._init_shared, as fast as these: no call of theirs goes to the manager's process.
 *
 *   snarl_lock *lock = snarl_manager_lock(&manager, "accounts");
 *   typedef SNARL_VALUE(int64_t) counter;
 *   counter *hits = snarl_manager_value(&manager, counter, "hits");
 *   snarl_with(lock) snarl_value_update(hits, += 1);
 *
 * Who asks for a name first makes it, with the value, the parties or the size that he asks for; all others get the
 * same. Without a name (NULL) each call makes another, which forked processes have. A name has at most 255 bytes, of
 * which the trace shows 39. What is made stays until the manager ends, and is no more for this process when its
 * snarl_manager is shut down. No thing is destroyed before. There is room for 1 GiB of them.
 *
 * NULL: there is none, and snarl_manager_refusal says why to the calling thread: SNARL_WRONG_KIND (of this name there
 * is one of another kind or size), SNARL_NO_MEMORY, SNARL_INVALID.
 */
#ifndef SNARL_SHARED_THINGS_H
#define SNARL_SHARED_THINGS_H

#include <snarl/barrier.h>
#include <snarl/condition.h>
#include <snarl/event.h>
#include <snarl/manager.h>
#include <snarl/process_queue.h>
#include <snarl/semaphore.h>
#include <snarl/value.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum snarli_shared_what {
  SNARLI_SHARED_LOCK,
  SNARLI_SHARED_RLOCK,
  SNARLI_SHARED_SEMAPHORE,
  SNARLI_SHARED_BOUNDED,
  SNARLI_SHARED_EVENT,
  SNARLI_SHARED_CONDITION,
  SNARLI_SHARED_BARRIER,
  SNARLI_SHARED_VALUE,
  SNARLI_SHARED_ARRAY,
};
struct snarli_shared_thing {
  enum snarli_shared_what what;
  int64_t number;
  size_t size, shared; /* of a value or an array; where the value's head lies */
};
void *snarli_shared_thing_of(snarl_manager *manager, struct snarli_shared_thing asked, const char *name,
                             struct snarl_site *site);
/* Of the last call of this thread. */
int snarl_manager_refusal(void);
static inline struct snarli_shared_thing snarli_shared_thing(enum snarli_shared_what what, int64_t number, size_t size,
                                                             size_t shared) {
  struct snarli_shared_thing asked = {what, number, size, shared};
  return asked;
}
#define SNARLI_THING(type, manager, name, what, number, size, shared)                                                  \
  ((type *)snarli_shared_thing_of((manager), snarli_shared_thing(SNARLI_SHARED_##what, (number), (size), (shared)),    \
                                  (name), SNARL_HERE))

#define snarl_manager_lock(manager, name) SNARLI_THING(snarl_lock, manager, name, LOCK, 0, 0, 0)
#define snarl_manager_rlock(manager, name) SNARLI_THING(snarl_rlock, manager, name, RLOCK, 0, 0, 0)
#define snarl_manager_semaphore(manager, name, value)                                                                  \
  SNARLI_THING(snarl_semaphore, manager, name, SEMAPHORE, value, 0, 0)
#define snarl_manager_bounded_semaphore(manager, name, value)                                                          \
  SNARLI_THING(snarl_semaphore, manager, name, BOUNDED, value, 0, 0)
#define snarl_manager_event(manager, name) SNARLI_THING(snarl_event, manager, name, EVENT, 0, 0, 0)
/* On an RLock of its own. */
#define snarl_manager_condition(manager, name) SNARLI_THING(snarl_condition, manager, name, CONDITION, 0, 0, 0)
#define snarl_manager_barrier(manager, name, parties) SNARLI_THING(snarl_barrier, manager, name, BARRIER, parties, 0, 0)
/* Of a type that is a SNARL_VALUE(...) or a SNARL_ARRAY(...); zeros at first. */
#define snarl_manager_value(manager, type, name)                                                                       \
  SNARLI_THING(type, manager, name, VALUE, 0, sizeof(type), offsetof(type, shared))
#define snarl_manager_array(manager, type, name) SNARLI_THING(type, manager, name, ARRAY, 0, sizeof(type), 0)

/* The queue of snarl/process_queue.h, in memory of its own; this process's object, which it lets go of by
 * snarl_process_queue_detach. Nobody destroys it as long as others may ask for it. Names of queues are for queues
 * alone. `limit` as in its init, by who asks first. What init says; and what talks to the manager. */
#define snarl_manager_queue(manager, queue, name, limit)                                                               \
  snarl_manager_queue_at((manager), (queue), (name), (limit), SNARL_HERE)
int snarl_manager_queue_at(snarl_manager *manager, snarl_process_queue *queue, const char *name, size_t limit,
                           struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
