/* SPDX-License-Identifier: MIT
 *
 * An event count: waiting for something that a lock-free structure can tell, without a lock. A waiter announces itself,
 * looks once more, and sleeps; who makes the something true looks whether anybody sleeps, which is one load when nobody
 * does. After D. Vyukov, "Eventcount" (1024cores). Lower half of the state: notifications so far; upper half: sleepers
 * that none of them was for. Whoever notifies takes a sleeper off the count, so that the notifications that follow
 * until that one runs cost no system call. Entered by any thread.
 *
 * Who made something true looks here afterwards, when whoever waited for it may have gone on, and may have ended the
 * object. So the memory of an event count is kept, and used again for nothing but another one: a late notification
 * wakes somebody there for nothing, who looks again.
 *
 *   while (!try()) {                       make it true (by a read-modify-write);
 *     key = snarli_eventcount_announce();  snarli_eventcount_notify();
 *     if (try()) { _leave(); break; }
 *     if (!_sleep(key)) { _leave(); return try(); }
 *   }
 */
#ifndef SNARLI_EVENTCOUNT_H
#define SNARLI_EVENTCOUNT_H

#include "seam.h"

struct snarli_eventcount {
  uint64_t state;
};

#define SNARLI_ONE_SLEEPER (1ull << 32)

static inline uint32_t *snarli_eventcount_word(struct snarli_eventcount *count) {
  return snarli_lower_half(&count->state);
}

static inline uint32_t snarli_eventcount_announce(struct snarli_eventcount *count) {
  return (uint32_t)snarli_add64(&count->state, SNARLI_ONE_SLEEPER);
}

/* The caller does not sleep any more and was not notified. One that was, and does not know it, takes the count of
 * another: that one was woken in its place. */
static inline void snarli_eventcount_leave(struct snarli_eventcount *count, uint32_t key) {
  uint64_t state = snarli_load64(&count->state);
  while ((uint32_t)state == key && state >= SNARLI_ONE_SLEEPER)
    if (snarli_cas64(&count->state, &state, state - SNARLI_ONE_SLEEPER))
      return;
}

/* False: the deadline passed without a notification since `key`. */
static inline bool snarli_eventcount_sleep(struct snarli_eventcount *count, uint32_t key, int64_t deadline) {
  uint32_t *word = snarli_eventcount_word(count);
  while (snarli_load(word) == key)
    if (!snarli_park(word, key, deadline))
      return snarli_load(word) != key;
  return true;
}

static inline bool snarli_eventcount_has_sleepers(const struct snarli_eventcount *count) {
  return snarli_load64(&count->state) >= SNARLI_ONE_SLEEPER;
}

void snarli_eventcount_wake(struct snarli_eventcount *count, bool all);
/* In memory that processes share, where a sleeper parks by snarli_park_shared and looks again whenever it comes back:
 * one that was killed is on the count until a notification was for it. True: somebody slept. */
bool snarli_eventcount_wake_shared(struct snarli_eventcount *count, bool all);

/* Memory with an event count in it begins with the link to more that is kept. Its event counts stay as they are. */
struct snarli_kept {
  struct snarli_kept *next;
};
struct snarli_kept *snarli_kept_take(struct snarli_kept **kept); /* NULL: there is none */
void snarli_kept_give(struct snarli_kept **kept, struct snarli_kept *memory);
void snarli_kept_in_child(void); /* of a fork */

static inline void snarli_eventcount_notify(struct snarli_eventcount *count) {
  if (__builtin_expect(snarli_eventcount_has_sleepers(count), 0))
    snarli_eventcount_wake(count, false);
}

#endif
