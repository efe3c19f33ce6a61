/* SPDX-License-Identifier: MIT
 *
 * Barrier between processes. All of its state is one word, which changes in one store, so that a process killed
 * anywhere leaves it whole: the number of the round, which waiters sleep on, how many have arrived, whether it is
 * broken, and how the last rounds ended, by which a slow waiter learns the outcome of its own. A lock that survives its
 * owner puts those who arrive, and their records, in one order. Entered by any thread of any process that has the
 * memory.
 */
#include "pshared_barrier.h"
#include "robust.h"
#include <limits.h>

struct round {
  uint32_t turn, arrived, outcomes; /* the lowest bit: the last round passed */
  bool is_broken;
};

/* Turn 32 bits, arrived 16, broken 1, outcomes 15. */
enum { PARTIES_MOST = UINT16_MAX, OUTCOMES = 15 };

static struct round round_of(uint64_t state) {
  return (struct round){.turn = (uint32_t)state,
                        .arrived = (uint32_t)(state >> 32) & PARTIES_MOST,
                        .is_broken = state >> 48 & 1,
                        .outcomes = (uint32_t)(state >> 49)};
}

static uint64_t state_of(struct round round) {
  uint64_t broken = round.is_broken ? 1ull << 48 : 0, outcomes = round.outcomes & ((1u << OUTCOMES) - 1);
  return round.turn | (uint64_t)round.arrived << 32 | broken | outcomes << 49;
}

static struct round round_now(const snarl_barrier *barrier) { return round_of(snarli_load64(&barrier->state)); }

/* The guard is held. */
static void end_round(snarl_barrier *barrier, struct round round, bool is_passed, bool is_broken) {
  round = (struct round){round.turn + 1, 0, round.outcomes << 1 | is_passed, is_broken};
  snarli_store64(&barrier->state, state_of(round));
}

/* Lets the guard go and wakes those whose round has ended. */
static void leave_and_wake(snarl_barrier *barrier) {
  uint32_t *turn = snarli_lower_half(&barrier->state);
  snarli_robust_give(&barrier->order);
  (void)snarli_unpark_shared(turn, INT_MAX);
}

/* How the round `turn` ended. One that sleeps through fifteen more cannot know, and is told that it was broken. */
static int outcome_of(struct round now, uint32_t turn) {
  uint32_t after = now.turn - turn - 1;
  return after < OUTCOMES && now.outcomes >> after & 1 ? SNARL_OK : SNARL_BROKEN;
}

static void note_broken(snarl_barrier *barrier, enum snarli_barrier_reason reason, struct snarl_site *site) {
  if (snarli_records())
    snarli_note(SNARLI_R_BARRIER_BROKEN, reason, &barrier->object, site);
}

/* The time is over: breaks the round, if it has not ended in this moment. */
static int give_up(snarl_barrier *barrier, uint32_t turn, struct snarl_site *site) {
  (void)snarli_robust_take(&barrier->order, SNARL_FOREVER);
  struct round now = round_now(barrier);
  if (now.turn != turn) {
    snarli_robust_give(&barrier->order);
    return outcome_of(now, turn);
  }
  note_broken(barrier, SNARLI_BARRIER_GAVE_UP, site);
  end_round(barrier, now, false, true);
  leave_and_wake(barrier);
  return SNARL_TIMEOUT;
}

static int await(snarl_barrier *barrier, uint32_t turn, int64_t deadline, struct snarl_site *site) {
  uint32_t *word = snarli_lower_half(&barrier->state);
  if (deadline > 0)
    snarli_spin(word, turn);
  do {
    struct round now = round_now(barrier);
    if (now.turn != turn)
      return outcome_of(now, turn);
  } while (snarli_park_shared(word, turn, deadline));
  return give_up(barrier, turn, site);
}

int snarli_pshared_barrier_arrive(snarl_barrier *barrier, snarl_time timeout, struct snarl_site *site) {
  int64_t deadline = snarli_deadline(timeout);
  if (!snarli_robust_ready())
    return snarli_refuse(SNARL_INVALID, barrier, site);
  (void)snarli_robust_take(&barrier->order, SNARL_FOREVER);
  if (snarli_records()) /* in the order of arrival */
    snarli_note(SNARLI_R_BARRIER_REQUESTED, 0, &barrier->object, site);
  struct round now = round_now(barrier);
  int index = (int)now.arrived;
  if (!now.is_broken && index + 1 == barrier->parties) {
    end_round(barrier, now, true, false);
    leave_and_wake(barrier);
    return index;
  }
  now.arrived += !now.is_broken;
  snarli_store64(&barrier->state, state_of(now));
  snarli_robust_give(&barrier->order);
  int status = now.is_broken ? SNARL_BROKEN : await(barrier, now.turn, deadline, site);
  return status ? status : index;
}

int snarli_pshared_barrier_break(snarl_barrier *barrier, enum snarli_barrier_reason reason, struct snarl_site *site) {
  if (!snarli_robust_ready())
    return snarli_refuse(SNARL_INVALID, barrier, site);
  (void)snarli_robust_take(&barrier->order, SNARL_FOREVER);
  note_broken(barrier, reason, site);
  end_round(barrier, round_now(barrier), false, reason != SNARLI_BARRIER_RESET);
  leave_and_wake(barrier);
  return SNARL_OK;
}

bool snarli_pshared_barrier_broken(const snarl_barrier *barrier) { return round_now(barrier).is_broken; }
uint32_t snarli_pshared_barrier_arrived(const snarl_barrier *barrier) { return round_now(barrier).arrived; }

int snarl_barrier_init_shared_at(snarl_barrier *barrier, const char *name, int parties, struct snarl_site *site) {
  if (!barrier || parties < 1 || parties > PARTIES_MOST || !snarli_robust_ready())
    return snarli_refuse(SNARL_INVALID, barrier, site);
  int status = snarli_check_room(&barrier->object, site);
  if (status)
    return status;
  *barrier = (snarl_barrier){.parties = parties};
  return snarli_object_begin_shared(&barrier->object, SNARLI_ALIVE(BARRIER), sizeof *barrier, name, site);
}
