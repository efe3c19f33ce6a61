/* SPDX-License-Identifier: MIT
 *
 * The blocking algorithms of the runtime under all interleavings of a few threads (see model.h): nobody sleeps for
 * ever, what excludes each other does, what is handed over arrives, and nothing is left in words and lists.
 */
#include "futures/future.h"
#include "model.h"
#include <snarl/snarl.h>
#include <stdio.h>
#include <string.h>

enum { SOON = 1 }; /* a time limit, which may pass at any point */

/* ------------------------------------------------------------------ Lock */
static snarl_lock lock;
static int inside, count, refused;

static void lock_begin(void) {
  lock = (snarl_lock)SNARL_LOCK_INIT("lock");
  inside = count = refused = 0;
}
static void lock_use(snarl_time timeout) {
  int status = snarl_lock_acquire(&lock, timeout);
  if (status) {
    model_check(status == SNARL_TIMEOUT && timeout != SNARL_FOREVER);
    refused++;
    return;
  }
  model_check(inside++ == 0);
  model_check(snarl_lock_locked(&lock));
  count++;
  inside--;
  model_check(snarl_lock_release(&lock) == SNARL_OK);
}
static void lock_waits(void) { lock_use(SNARL_FOREVER); }
static void lock_waits_twice(void) { lock_waits(), lock_waits(); }
static void lock_limited(void) { lock_use(SOON); }
static void lock_end(void) { model_check(!(lock.word & ~0x80000000u) && !lock.notified); }

static void lock_kept(void) { model_check(snarl_lock_acquire(&lock, SNARL_FOREVER) == SNARL_OK); }
static void lock_of_ended(void) {
  int status = snarl_lock_acquire(&lock, SNARL_FOREVER);
  model_check(status == SNARL_OWNER_ENDED || status == SNARL_OK);
  if (!status)
    model_check(snarl_lock_release(&lock) == SNARL_OK);
}

/* ------------------------------------------------------------- Condition */
static snarl_condition condition;
static snarl_rlock rlock;
static int woken, notified;

static void condition_begin(void) {
  condition = (snarl_condition)SNARL_CONDITION_INIT("condition");
  woken = notified = inside = count = 0;
}
static void condition_on_lock_begin(void) {
  condition_begin();
  lock_begin();
  condition.lock = &lock.object;
}
static void wait_once(snarl_time timeout) {
  model_check(snarl_condition_acquire(&condition, SNARL_FOREVER) == SNARL_OK);
  int status = snarl_condition_wait(&condition, timeout);
  model_check(inside == 0);
  model_check(status == SNARL_OK || (status == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  woken += status == SNARL_OK;
  model_check(snarl_condition_release(&condition) == SNARL_OK);
}
static void waiter_limited(void) { wait_once(SOON); }
static void notifier_once(void) {
  model_check(snarl_condition_acquire(&condition, SNARL_FOREVER) == SNARL_OK);
  inside++;
  notified += snarl_condition_notify(&condition, 1);
  inside--;
  model_check(snarl_condition_release(&condition) == SNARL_OK);
}
static void notifier_of_all(void) {
  model_check(snarl_condition_acquire(&condition, SNARL_FOREVER) == SNARL_OK);
  notified += snarl_condition_notify_all(&condition);
  model_check(snarl_condition_release(&condition) == SNARL_OK);
}
static void condition_end(void) {
  model_check(woken == notified);
  model_check(!condition.waiters && !condition.own.notified && !lock.notified);
}

/* A box of one place: the predicate says when to wait, so no notification may be lost. */
static int box;
static void box_begin(void) {
  condition_begin();
  box = 0;
}
static void box_move(int from, int to, int by) {
  model_check(snarl_condition_acquire(&condition, SNARL_FOREVER) == SNARL_OK);
  while (box != from)
    model_check(snarl_condition_wait(&condition, SNARL_FOREVER) == SNARL_OK);
  box = to;
  count += by;
  model_check(snarl_condition_notify_all(&condition) >= 0);
  model_check(snarl_condition_release(&condition) == SNARL_OK);
}
static void put(void) { box_move(0, 1, 1); }
static void get(void) { box_move(1, 0, 1); }
static void put_twice(void) { put(), put(); }
static void box_end(void) { model_check(box == 0 && count == 4 && !condition.waiters && !condition.own.notified); }

/* Full release and restore of an RLock. */
static void rlock_begin(void) {
  condition_begin();
  rlock = (snarl_rlock)SNARL_RLOCK_INIT("rlock");
  condition.lock = &rlock.object;
}
static void wait_deep(void) {
  model_check(snarl_rlock_acquire(&rlock, SNARL_FOREVER) == SNARL_OK);
  wait_once(SOON);
  model_check(rlock.depth == 1 && snarl_rlock_release(&rlock) == SNARL_OK);
}
static void rlock_end(void) {
  condition_end();
  model_check(!(rlock.word & ~0x80000000u) && !rlock.notified);
}

/* The notifier keeps the lock into its end. */
static void notify_and_keep(void) {
  model_check(snarl_condition_acquire(&condition, SNARL_FOREVER) == SNARL_OK);
  notified += snarl_condition_notify(&condition, 2);
}
static void wait_for_ended(void) {
  int status = snarl_condition_acquire(&condition, SNARL_FOREVER);
  if (status) {
    model_check(status == SNARL_OWNER_ENDED);
    return;
  }
  status = snarl_condition_wait(&condition, SOON);
  model_check(status == SNARL_OWNER_ENDED || status == SNARL_TIMEOUT);
  if (status == SNARL_TIMEOUT)
    model_check(snarl_condition_release(&condition) == SNARL_OK);
}
static void ended_end(void) { model_check(!condition.waiters && !condition.own.notified); }

/* --------------------------------------------------------------- Barrier */
static snarl_barrier barrier;
static int passed[3], broken, gave_up, actions, action_result;

static int act(void *unused) {
  (void)unused;
  actions++;
  return action_result;
}
static void barrier_begin_for(int parties) {
  barrier = (snarl_barrier)SNARL_BARRIER_INIT_ACTION("barrier", parties, act, NULL);
  memset(passed, 0, sizeof passed);
  broken = gave_up = actions = action_result = 0;
}
static void barrier_begin_2(void) { barrier_begin_for(2); }
static void barrier_begin_3(void) { barrier_begin_for(3); }
static void barrier_begin_failing(void) {
  barrier_begin_for(2);
  action_result = -1;
}
static int meet(snarl_time timeout) {
  int index = snarl_barrier_wait(&barrier, timeout);
  model_check(index < barrier.parties);
  model_check(index != SNARL_TIMEOUT || timeout != SNARL_FOREVER);
  if (index >= 0)
    passed[index]++;
  else if (index == SNARL_TIMEOUT)
    gave_up++;
  else
    broken++;
  return index;
}
static void meets(void) { (void)meet(SNARL_FOREVER); }
static void meets_twice(void) {
  meets();
  model_check(actions >= 1);
  meets();
}
static void meets_limited(void) { (void)meet(SOON); }
static void aborts(void) { model_check(snarl_barrier_abort(&barrier) == SNARL_OK); }
static void resets(void) { model_check(snarl_barrier_reset(&barrier) == SNARL_OK); }
static bool all_or_none(int parties) {
  for (int i = 1; i < parties; i++)
    if (passed[i] != passed[0])
      return false;
  return true;
}
static void barrier_end_2(void) { model_check(passed[0] == 2 && passed[1] == 2 && actions == 2 && !barrier.waiters); }
static void barrier_end_3(void) { model_check(all_or_none(3) && passed[0] == 1 && actions == 1 && !barrier.waiters); }
static void barrier_end_any(void) {
  model_check(all_or_none(barrier.parties) && !barrier.waiters && !barrier.guard);
  model_check(!gave_up || passed[0] || broken + gave_up >= 1);
}
static void barrier_end_failing(void) { model_check(broken == 2 && !passed[0] && actions == 1 && barrier.broken); }

/* ------------------------------------------------------------- Semaphore */
static snarl_semaphore semaphore;
static void semaphore_begin(void) {
  semaphore = (snarl_semaphore)SNARL_BOUNDED_SEMAPHORE_INIT("semaphore", 1);
  inside = 0;
}
static void semaphore_use(snarl_time timeout) {
  if (snarl_semaphore_acquire(&semaphore, timeout)) {
    model_check(timeout != SNARL_FOREVER);
    return;
  }
  model_check(inside++ == 0);
  model_check(snarl_semaphore_value(&semaphore) == 0);
  inside--;
  model_check(snarl_semaphore_release(&semaphore, 1) == SNARL_OK);
}
static void semaphore_waits(void) { semaphore_use(SNARL_FOREVER); }
static void semaphore_limited(void) { semaphore_use(SOON); }
static void semaphore_end(void) { model_check(semaphore.state == 1); }

static void permits_begin(void) { semaphore = (snarl_semaphore)SNARL_SEMAPHORE_INIT("semaphore", 0), count = 0; }
static void permit_taken(void) { count += snarl_semaphore_acquire(&semaphore, SNARL_FOREVER) == SNARL_OK; }
static void permit_limited(void) { count += snarl_semaphore_acquire(&semaphore, SOON) == SNARL_OK; }
static void permits_given(void) { model_check(snarl_semaphore_release(&semaphore, 2) == SNARL_OK); }
static void permits_end(void) { model_check(semaphore.state == (uint64_t)(2 - count)); }

/* ----------------------------------------------------------- Event, Once */
static snarl_event event;
static void event_begin(void) { event = (snarl_event)SNARL_EVENT_INIT("event"), count = 0; }
static void event_waits(void) {
  model_check(snarl_event_wait(&event, SNARL_FOREVER) == SNARL_OK);
  count++;
}
static void event_limited(void) {
  int status = snarl_event_wait(&event, SOON);
  model_check(status == SNARL_OK || status == SNARL_TIMEOUT);
}
static void event_sets(void) { model_check(snarl_event_set(&event) == SNARL_OK); }
static void event_pulses(void) {
  event_sets();
  model_check(snarl_event_clear(&event) == SNARL_OK);
}
static void event_pulses_and_sets(void) { event_pulses(), event_sets(); }

static snarl_once once;
static void once_begin(void) { once = (snarl_once)SNARL_ONCE_INIT("once"), count = 0; }
static void run(void *unused) {
  (void)unused;
  model_check(snarl_barrier_broken(NULL) == false);
  count++;
}
static void once_runs(void) {
  model_check(snarl_once_run(&once, run, NULL) == SNARL_OK);
  model_check(count == 1);
}

/* ---------------------------------------------------------------- RWLock */
static snarl_rwlock rwlock;
static int readers, writers;
static void rwlock_begin(void) { rwlock = (snarl_rwlock)SNARL_RWLOCK_INIT("rwlock"), readers = writers = 0; }
static void read_for(snarl_time timeout) {
  if (snarl_rwlock_acquire_read(&rwlock, timeout)) {
    model_check(timeout != SNARL_FOREVER);
    return;
  }
  readers++;
  model_check(!writers);
  model_check(!snarl_lock_locked(NULL));
  readers--;
  model_check(snarl_rwlock_release_read(&rwlock) == SNARL_OK);
}
static void write_for(snarl_time timeout) {
  if (snarl_rwlock_acquire_write(&rwlock, timeout)) {
    model_check(timeout != SNARL_FOREVER);
    return;
  }
  model_check(!readers && writers++ == 0);
  model_check(rwlock.writer != 0);
  writers--;
  model_check(snarl_rwlock_release_write(&rwlock) == SNARL_OK);
}
static void reads(void) { read_for(SNARL_FOREVER); }
static void reads_limited(void) { read_for(SOON); }
static void writes(void) { write_for(SNARL_FOREVER); }
static void writes_limited(void) { write_for(SOON); }
static void rwlock_end(void) {
  model_check(!rwlock.word && !rwlock.waiters && !rwlock.writers && !rwlock.writer && !rwlock.guard);
}

/* object.c can announce one. */
unsigned snarli_executor_workers(const snarl_executor *executor) { return executor != NULL; }

static const struct scenario scenarios[] = {
    {"lock", lock_begin, {lock_waits_twice, lock_waits, lock_waits}, lock_end, 3},
    {"lock, time limits", lock_begin, {lock_waits, lock_limited, lock_limited}, lock_end, 3},
    {"lock, owner ends", lock_begin, {lock_kept, lock_of_ended, lock_of_ended}, NULL, 3},
    {"condition, notify", condition_begin, {waiter_limited, waiter_limited, notifier_once}, condition_end, 2},
    {"condition, notify all", condition_begin, {waiter_limited, waiter_limited, notifier_of_all}, condition_end, 2},
    {"condition on a Lock",
     condition_on_lock_begin,
     {waiter_limited, notifier_once, notifier_of_all},
     condition_end,
     3},
    {"condition on a deep RLock", rlock_begin, {wait_deep, wait_deep, notifier_of_all}, rlock_end, 2},
    {"condition, box of one", box_begin, {put, get, put, get}, box_end, 2},
    {"condition, box, twice", box_begin, {put_twice, get, get}, box_end, 2},
    {"condition, notifier ends", condition_begin, {wait_for_ended, wait_for_ended, notify_and_keep}, ended_end, 2},
    {"barrier of 2, two rounds", barrier_begin_2, {meets_twice, meets_twice}, barrier_end_2, 4},
    {"barrier of 3", barrier_begin_3, {meets, meets, meets}, barrier_end_3, 3},
    {"barrier, time limits", barrier_begin_2, {meets_limited, meets_limited, meets_limited}, barrier_end_any, 2},
    {"barrier, abort", barrier_begin_2, {meets, meets, aborts}, barrier_end_any, 3},
    {"barrier, reset", barrier_begin_2, {meets_limited, meets_limited, resets}, barrier_end_any, 2},
    {"barrier, reset and abort", barrier_begin_3, {meets_limited, meets_limited, resets, aborts}, barrier_end_any, 1},
    {"barrier, failing action", barrier_begin_failing, {meets, meets}, barrier_end_failing, 4},
    {"semaphore", semaphore_begin, {semaphore_waits, semaphore_waits, semaphore_waits}, semaphore_end, 3},
    {"semaphore, time limits",
     semaphore_begin,
     {semaphore_waits, semaphore_limited, semaphore_limited},
     semaphore_end,
     3},
    {"semaphore, two at once", permits_begin, {permit_taken, permit_limited, permits_given}, permits_end, 3},
    {"event, pulse", event_begin, {event_limited, event_waits, event_pulses_and_sets}, NULL, 3},
    {"event, two set", event_begin, {event_waits, event_sets, event_sets}, NULL, 4},
    {"once", once_begin, {once_runs, once_runs, once_runs}, NULL, 3},
    {"rwlock", rwlock_begin, {reads, writes, reads, writes}, rwlock_end, 2},
    {"rwlock, three writers", rwlock_begin, {writes, writes, writes}, rwlock_end, 3},
    {"rwlock, time limits", rwlock_begin, {reads, writes_limited, reads_limited}, rwlock_end, 2},
    {"rwlock, writer gives up", rwlock_begin, {writes, writes_limited, reads}, rwlock_end, 3},
};

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  int failed = 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
    failed += !model_run(&scenarios[i]);
  return failed != 0;
}
