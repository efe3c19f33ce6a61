/* SPDX-License-Identifier: MIT
 *
 * Barrier. A guard protects its state and its list of waiters; each waiter has its outcome on its own stack, so that a
 * slow one still learns how its round ended when the next has begun, and no round waits for stragglers of the last. All
 * sleep on `turn`, which changes whenever outcomes are given out. Entered by any thread.
 */
#include "core/waiter.h"
#include "multiprocessing/sync/pshared_barrier.h"
#include "multiprocessing/sync/robust.h"
#include <errno.h>
#include <limits.h>
#include <snarl/barrier.h>

/* A waiter's word. ACTING: all have arrived and the action runs, so no time limit counts any more. */
enum outcome { WAITING, PASSED, BROKEN, ACTING };

/* The guard is held. The waiter may be gone as soon as its word is stored. */
static void give_out(struct snarli_waiter *first, enum outcome outcome) {
  for (struct snarli_waiter *waiter = first, *next; waiter; waiter = next) {
    next = waiter->next;
    snarli_store(&waiter->word, outcome);
  }
}

/* Lets the guard go and wakes those who have got outcomes; only the address is used then. */
static void unguard_and_wake(snarl_barrier *barrier) {
  uint32_t *turn = &barrier->turn;
  snarli_store(turn, barrier->turn + 1);
  snarli_unguard(&barrier->guard);
  snarli_unpark(turn, INT_MAX);
}

/* The guard is held: the round that is gathering ends without a passage. */
static void break_round(snarl_barrier *barrier, enum snarli_barrier_reason reason, struct snarl_site *site) {
  if (snarli_records())
    snarli_note(SNARLI_R_BARRIER_BROKEN, reason, &barrier->object, site);
  snarli_store(&barrier->arrived, 0);
  snarli_store(&barrier->broken, reason != SNARLI_BARRIER_RESET);
  give_out(barrier->waiters, BROKEN);
  barrier->waiters = NULL;
}

/* The last has arrived; the guard is held and is let go. The next round may gather while the action runs. */
static int complete_round(snarl_barrier *barrier, struct snarl_site *site) {
  struct snarli_waiter *round = barrier->waiters;
  int index = barrier->parties - 1, result = 0;
  barrier->waiters = NULL;
  snarli_store(&barrier->arrived, 0);
  if (barrier->action) {
    for (struct snarli_waiter *waiter = round; waiter; waiter = waiter->next)
      snarli_store(&waiter->word, ACTING);
    snarli_unguard(&barrier->guard);
    result = barrier->action(barrier->argument);
    snarli_guard(&barrier->guard);
  }
  if (result < 0)
    break_round(barrier, SNARLI_BARRIER_ACTION_FAILED, site);
  give_out(round, result < 0 ? BROKEN : PASSED);
  unguard_and_wake(barrier);
  return result < 0 ? SNARL_BROKEN : index;
}

/* The time is over. The guard is not held. True: it is given up; false: the outcome is there, or is about to be. */
static bool give_up(snarl_barrier *barrier, struct snarli_waiter *waiter, struct snarl_site *site) {
  snarli_guard(&barrier->guard);
  if (snarli_load(&waiter->word) != WAITING) {
    snarli_unguard(&barrier->guard);
    return false;
  }
  snarli_waiter_remove(waiter);
  break_round(barrier, SNARLI_BARRIER_GAVE_UP, site);
  unguard_and_wake(barrier);
  return true;
}

static int await(snarl_barrier *barrier, struct snarli_waiter *waiter, int64_t deadline, struct snarl_site *site) {
  if (deadline > 0)
    snarli_spin(&waiter->word, WAITING);
  for (;;) {
    uint32_t turn = snarli_load(&barrier->turn), outcome = snarli_load(&waiter->word);
    if (outcome == PASSED || outcome == BROKEN)
      return outcome == PASSED ? SNARL_OK : SNARL_BROKEN;
    bool is_over = !snarli_park(&barrier->turn, turn, outcome == ACTING ? SNARLI_NEVER : deadline);
    if (is_over && give_up(barrier, waiter, site))
      return SNARL_TIMEOUT;
  }
}

static int arrive(snarl_barrier *barrier, snarl_time timeout, struct snarl_site *site) {
  if (snarli_is_pshared(&barrier->object))
    return snarli_pshared_barrier_arrive(barrier, timeout, site);
  int64_t deadline = snarli_deadline(timeout);
  snarli_guard(&barrier->guard);
  if (snarli_records()) /* in the order of arrival */
    snarli_note(SNARLI_R_BARRIER_REQUESTED, 0, &barrier->object, site);
  if (barrier->broken) {
    snarli_unguard(&barrier->guard);
    return SNARL_BROKEN;
  }
  int index = (int)barrier->arrived;
  snarli_store(&barrier->arrived, barrier->arrived + 1); /* others look at it without the guard */
  if (index + 1 == barrier->parties)
    return complete_round(barrier, site);
  struct snarli_waiter waiter = {.word = WAITING};
  snarli_waiter_append(&barrier->waiters, &waiter);
  snarli_unguard(&barrier->guard);
  int status = await(barrier, &waiter, deadline, site);
  return status ? status : index;
}

static int check(const snarl_barrier *barrier, struct snarl_site *site) {
  int status = snarli_check_any((const struct snarl_object *)barrier, SNARLI_ALIVE(BARRIER), site);
  return !status && barrier->parties < 1 ? snarli_refuse(SNARL_INVALID, barrier, site) : status;
}

int snarl_barrier_wait_at(snarl_barrier *barrier, snarl_time timeout, struct snarl_site *site) {
  int status = check(barrier, site);
  if (status)
    return status;
  if (!snarli_records())
    return arrive(barrier, timeout, site);
  snarli_prepare(&barrier->object, site);
  int index = arrive(barrier, timeout, site);
  if (index >= 0)
    snarli_note(SNARLI_R_BARRIER_PASSED, index + 1 == barrier->parties, &barrier->object, site);
  else
    snarli_note(SNARLI_R_BARRIER_FAILED, index == SNARL_TIMEOUT ? ETIMEDOUT : EPIPE, &barrier->object, site);
  return index;
}

static int end_round(snarl_barrier *barrier, enum snarli_barrier_reason reason, struct snarl_site *site) {
  int status = check(barrier, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_prepare(&barrier->object, site);
  if (snarli_is_pshared(&barrier->object))
    return snarli_pshared_barrier_break(barrier, reason, site);
  snarli_guard(&barrier->guard);
  break_round(barrier, reason, site);
  unguard_and_wake(barrier);
  return SNARL_OK;
}

int snarl_barrier_abort_at(snarl_barrier *barrier, struct snarl_site *site) {
  return end_round(barrier, SNARLI_BARRIER_ABORTED, site);
}
int snarl_barrier_reset_at(snarl_barrier *barrier, struct snarl_site *site) {
  return end_round(barrier, SNARLI_BARRIER_RESET, site);
}

static uint32_t arrived(const snarl_barrier *barrier) {
  return snarli_is_pshared(&barrier->object) ? snarli_pshared_barrier_arrived(barrier) : snarli_load(&barrier->arrived);
}

static bool is_broken(const snarl_barrier *barrier) {
  return snarli_is_pshared(&barrier->object) ? snarli_pshared_barrier_broken(barrier) : snarli_load(&barrier->broken);
}

bool snarl_barrier_broken(const snarl_barrier *barrier) { return barrier && is_broken(barrier); }
int snarl_barrier_n_waiting(const snarl_barrier *barrier) { return barrier ? (int)arrived(barrier) : 0; }
int snarl_barrier_parties(const snarl_barrier *barrier) { return barrier ? barrier->parties : 0; }

int snarl_barrier_init_at(snarl_barrier *barrier, const char *name, int parties, snarl_barrier_action action,
                          void *argument, struct snarl_site *site) {
  if (!barrier || parties < 1)
    return snarli_refuse(SNARL_INVALID, barrier, site);
  *barrier = (snarl_barrier){.parties = parties, .action = action, .argument = argument};
  return snarli_object_begin(&barrier->object, SNARLI_ALIVE(BARRIER), name, site);
}

/* Between processes one that was killed while it waited stays counted, until a reset. */
static bool is_used(snarl_barrier *barrier) {
  if (snarli_is_pshared(&barrier->object))
    return arrived(barrier);
  snarli_guard(&barrier->guard);
  bool has_arrived = barrier->arrived;
  snarli_unguard(&barrier->guard);
  return has_arrived;
}

int snarl_barrier_destroy_at(snarl_barrier *barrier, struct snarl_site *site) {
  int status = check(barrier, site);
  if (!status && is_used(barrier))
    status = snarli_refuse(SNARL_IN_USE, barrier, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_BARRIER_DESTROYED, 0, &barrier->object, site);
  snarli_object_end(&barrier->object);
  return SNARL_OK;
}
