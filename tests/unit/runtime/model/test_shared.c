/* SPDX-License-Identifier: MIT
 *
 * What processes share under all interleavings of a few of them (see model.h), and with one of them killed at any
 * point: whoever is left gets through, with nobody's help but the kernel's, and what excludes each other does.
 */
#include "core/seam.h"
#include "futures/future.h"
#include "kernel.h"
#include "model.h"
#include "multiprocessing/sync/robust.h"
#include <snarl/snarl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOON = 1, FIRST = 1, SECOND = 2, ANY = 7 };

/* ------------------------------------------------------------------ Lock */
static snarl_lock lock;
static snarl_rlock rlock;
static int inside, count, told;

/* In memory of zeros, as it is shared. */
#define MAKE(object, init)                                                                                             \
  do {                                                                                                                 \
    memset(&(object), 0, sizeof(object));                                                                              \
    model_check(init == SNARL_OK);                                                                                     \
  } while (0)

static void begin(void) {
  kernel_begin();
  inside = count = told = 0;
}
static void lock_begin(void) {
  begin();
  MAKE(lock, snarl_lock_init_shared(&lock, "lock"));
}
/* Nobody is inside unless it was killed there, and then the next is told. */
static void enter(int status) {
  model_check(status == SNARL_OK || (status == SNARL_RECOVERED && model_has_killed()));
  model_check(status == SNARL_RECOVERED || !inside);
  told += status == SNARL_RECOVERED;
  inside = 1;
  model_point();
}
static void leave(void) {
  count++;
  model_point();
  inside = 0;
}
static void lock_use(snarl_time timeout) {
  int status = snarl_lock_acquire(&lock, timeout);
  if (status == SNARL_TIMEOUT) {
    model_check(timeout != SNARL_FOREVER);
    return;
  }
  enter(status);
  leave();
  model_check(snarl_lock_release(&lock) == SNARL_OK);
}
static void lock_waits(void) { lock_use(SNARL_FOREVER); }
static void lock_waits_twice(void) { lock_waits(), lock_waits(); }
static void lock_limited(void) { lock_use(SOON); }
static void lock_end(void) {
  model_check(!snarl_lock_locked(&lock) && kernel_lists_are_empty());
  model_check(told <= 1 && (model_has_killed() || !inside));
}
/* As `with` does it: what was left behind is left to the next. */
static void lock_is_left(void) {
  int status = snarl_lock_acquire(&lock, SNARL_FOREVER);
  if (status == SNARL_RECOVERED)
    snarli_robust_leave(&lock.object, NULL);
  else
    model_check(status == SNARL_OK && snarl_lock_release(&lock) == SNARL_OK);
}
static void lock_kept(void) { model_check(snarl_lock_acquire(&lock, SNARL_FOREVER) == SNARL_OK); }
static void lock_of_ended(void) {
  int status = snarl_lock_acquire(&lock, SNARL_FOREVER);
  model_check(status == SNARL_RECOVERED || status == SNARL_OK);
  told += status == SNARL_RECOVERED;
  model_check(snarl_lock_release(&lock) == SNARL_OK);
}
static void kept_end(void) { model_check(told <= 1); }

static void rlock_begin(void) {
  begin();
  MAKE(rlock, snarl_rlock_init_shared(&rlock, "rlock"));
}
static void rlock_deep(void) {
  enter(snarl_rlock_acquire(&rlock, SNARL_FOREVER));
  model_check(snarl_rlock_acquire(&rlock, SNARL_FOREVER) == SNARL_OK);
  model_check(snarl_rlock_release(&rlock) == SNARL_OK && inside);
  leave();
  model_check(snarl_rlock_release(&rlock) == SNARL_OK);
}
static void rlock_end(void) { model_check(!snarl_rlock_locked(&rlock) && kernel_lists_are_empty()); }

/* Two at once: the list of what a thread holds has more than one, and is left in the other order. */
static void both_begin(void) {
  lock_begin();
  MAKE(rlock, snarl_rlock_init_shared(&rlock, "rlock"));
}
static void both_held(void) {
  int status = snarl_rlock_acquire(&rlock, SNARL_FOREVER);
  model_check(status == SNARL_OK || status == SNARL_RECOVERED);
  enter(snarl_lock_acquire(&lock, SNARL_FOREVER));
  model_check(snarl_rlock_release(&rlock) == SNARL_OK);
  leave();
  model_check(snarl_lock_release(&lock) == SNARL_OK);
}
static void both_end(void) { lock_end(), rlock_end(); }

/* ------------------------------------------------------------- Condition */
static snarl_condition condition;
static int items, is_set, woken, notified;

static void condition_begin(void) {
  begin();
  MAKE(condition, snarl_condition_init_shared(&condition, "condition"));
  items = is_set = woken = notified = 0;
}
static void condition_enter(void) {
  int status = snarl_condition_acquire(&condition, SNARL_FOREVER);
  model_check(status == SNARL_OK || (status == SNARL_RECOVERED && model_has_killed()));
}
static void condition_leave(void) { model_check(snarl_condition_release(&condition) == SNARL_OK); }
static int condition_wait(snarl_time timeout) {
  int status = snarl_condition_wait(&condition, timeout);
  model_check(status == SNARL_OK || (status == SNARL_RECOVERED && model_has_killed()) ||
              (status == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  return status;
}
static void waits_for_item(void) {
  condition_enter();
  while (!items)
    (void)condition_wait(SNARL_FOREVER);
  items--;
  condition_leave();
}
static void adds_item(void) {
  condition_enter();
  items++;
  model_check(snarl_condition_notify(&condition, 1) >= 0);
  condition_leave();
}
static void adds_items(void) { adds_item(), adds_item(); }
static void waits_for_flag(void) {
  condition_enter();
  while (!is_set)
    (void)condition_wait(SNARL_FOREVER);
  condition_leave();
}
static void sets_flag(void) {
  condition_enter();
  is_set = 1;
  model_check(snarl_condition_notify_all(&condition) >= 0);
  condition_leave();
}
/* As many come back notified as were notified. */
static void waiter_limited(void) {
  condition_enter();
  woken += condition_wait(SOON) == SNARL_OK;
  condition_leave();
}
static void notifier_once(void) {
  condition_enter();
  notified += snarl_condition_notify(&condition, 1);
  condition_leave();
}
static void notifier_of_all(void) {
  condition_enter();
  notified += snarl_condition_notify_all(&condition);
  condition_leave();
}
static void condition_end(void) { model_check(!snarl_rlock_locked(&condition.own) && kernel_lists_are_empty()); }
static void exact_end(void) {
  condition_end();
  model_check(woken == notified && !condition.waiting && !condition.owed);
}

/* --------------------------------------------------------------- Barrier */
static snarl_barrier barrier;
static int passed[2], failed;

static void barrier_begin(void) {
  begin();
  MAKE(barrier, snarl_barrier_init_shared(&barrier, "barrier", 2));
  passed[0] = passed[1] = failed = 0;
}
static void meet(snarl_time timeout) {
  int index = snarl_barrier_wait(&barrier, timeout);
  model_check(index < 2);
  model_check(index >= 0 || index == SNARL_BROKEN || (index == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  if (index >= 0)
    passed[index]++;
  else
    failed++;
}
static void meets(void) { meet(SNARL_FOREVER); }
static void meets_twice(void) { meets(), meets(); }
static void meets_limited(void) { meet(SOON); }
static void aborts(void) { model_check(snarl_barrier_abort(&barrier) == SNARL_OK); }
static void resets(void) { model_check(snarl_barrier_reset(&barrier) == SNARL_OK); }
static void barrier_end(void) { model_check(passed[0] == 2 && passed[1] == 2 && !snarl_barrier_n_waiting(&barrier)); }
static void barrier_end_any(void) { model_check(passed[0] == passed[1] && !snarl_barrier_n_waiting(&barrier)); }
/* The killed one may have got its place and not said so. */
static void barrier_end_killed(void) {
  int difference = passed[0] - passed[1];
  model_check(model_has_killed() ? difference >= -1 && difference <= 1 : !difference);
}

/* ------------------------------------------------------ Semaphore, Event */
static snarl_semaphore semaphore;
static void semaphore_begin_for(int permits) {
  begin();
  MAKE(semaphore, snarl_bounded_semaphore_init_shared(&semaphore, "semaphore", permits));
}
static void semaphore_begin_1(void) { semaphore_begin_for(1); }
static void semaphore_begin_2(void) { semaphore_begin_for(2); }
static void semaphore_use(snarl_time timeout) {
  int status = snarl_semaphore_acquire(&semaphore, timeout);
  model_check(status == SNARL_OK || (status == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  if (status)
    return;
  count++;
  model_check(snarl_semaphore_release(&semaphore, 1) == SNARL_OK);
}
static void semaphore_waits(void) { semaphore_use(SNARL_FOREVER); }
static void semaphore_limited(void) { semaphore_use(SOON); }
static void semaphore_end(void) {
  int value = snarl_semaphore_value(&semaphore);
  model_check(value == semaphore.most || (model_has_killed() && value == semaphore.most - 1));
}

static snarl_event event;
static void event_begin(void) {
  begin();
  MAKE(event, snarl_event_init_shared(&event, "event"));
}
static void event_waits(void) { model_check(snarl_event_wait(&event, SNARL_FOREVER) == SNARL_OK); }
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

/* object.c can announce one. */
unsigned snarli_executor_workers(const snarl_executor *executor) { return executor != NULL; }

static const struct {
  struct scenario scenario;
  unsigned victims;
} scenarios[] = {
    {{"lock", lock_begin, {lock_waits_twice, lock_waits, lock_waits}, lock_end, 3}, 0},
    {{"lock, time limits", lock_begin, {lock_waits, lock_limited, lock_limited}, lock_end, 3}, 0},
    {{"lock, owner ends", lock_begin, {lock_kept, lock_of_ended, lock_of_ended}, kept_end, 3}, 0},
    {{"lock, one is killed", lock_begin, {lock_waits, lock_waits, lock_waits}, lock_end, 2}, ANY},
    {{"lock, killed, time limits", lock_begin, {lock_limited, lock_waits, lock_limited}, lock_end, 2}, ANY},
    {{"lock, killed, left", lock_begin, {lock_waits, lock_is_left, lock_waits}, lock_end, 2}, FIRST},
    {{"rlock, one is killed", rlock_begin, {rlock_deep, rlock_deep}, rlock_end, 3}, ANY},
    {{"two locks, one is killed", both_begin, {both_held, both_held}, both_end, 2}, ANY},
    {{"condition, notify", condition_begin, {waiter_limited, waiter_limited, notifier_once}, exact_end, 2}, 0},
    {{"condition, notify all", condition_begin, {waiter_limited, waiter_limited, notifier_of_all}, exact_end, 2}, 0},
    {{"condition, items", condition_begin, {waits_for_item, waits_for_item, adds_items}, condition_end, 2}, 0},
    {{"condition, a waiter is killed", condition_begin, {waits_for_item, waits_for_item, adds_items}, condition_end, 1},
     FIRST | SECOND},
    {{"condition, one is killed",
      condition_begin,
      {waits_for_flag, sets_flag, sets_flag, waits_for_flag},
      condition_end,
      1},
     ANY},
    {{"barrier, two rounds", barrier_begin, {meets_twice, meets_twice}, barrier_end, 3}, 0},
    {{"barrier, time limits", barrier_begin, {meets_limited, meets_limited, meets_limited}, barrier_end_any, 2}, 0},
    {{"barrier, abort", barrier_begin, {meets, meets, aborts}, barrier_end_any, 2}, 0},
    {{"barrier, reset", barrier_begin, {meets_limited, meets_limited, resets}, barrier_end_any, 2}, 0},
    {{"barrier, one is killed", barrier_begin, {meets_limited, meets_limited, resets}, barrier_end_killed, 1}, ANY},
    {{"semaphore", semaphore_begin_1, {semaphore_waits, semaphore_waits, semaphore_limited}, semaphore_end, 3}, 0},
    {{"semaphore, one is killed",
      semaphore_begin_2,
      {semaphore_waits, semaphore_waits, semaphore_waits},
      semaphore_end,
      3},
     ANY},
    {{"event, pulse", event_begin, {event_limited, event_waits, event_pulses_and_sets}, NULL, 3}, 0},
    {{"event, one is killed", event_begin, {event_waits, event_sets, event_sets}, NULL, 3}, ANY},
};

/* test-runtime-model-shared [PREEMPTIONS]: so many more. */
int main(int argc, char **argv) {
  unsigned more = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int failures = 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    struct scenario scenario = scenarios[i].scenario;
    scenario.preemptions += more;
    failures += !model_run_killing(&scenario, scenarios[i].victims);
  }
  return failures != 0;
}
