/* SPDX-License-Identifier: MIT
 *
 * Semaphore, BoundedSemaphore, Event and Barrier in processes that are killed.
 */
#include "killed.h"

enum { PERMITS = 2, MANY = 12 };

static struct arena {
  struct counts counts;
  snarl_semaphore semaphore, bounded;
  snarl_event turns[CHILDREN];
  snarl_barrier barrier;
  uint64_t passed[CHILDREN]; /* by the place among those who arrived */
} * arena;

static void begin(void *memory) {
  arena = memory;
  check_done(snarl_semaphore_init_shared(&arena->semaphore, "permits", PERMITS), "init");
  check_done(snarl_bounded_semaphore_init_shared(&arena->bounded, "bounded", MANY), "init");
  for (unsigned i = 0; i < CHILDREN; i++)
    check_done(snarl_event_init_shared(&arena->turns[i], "turn"), "init");
  check_done(snarl_barrier_init_shared(&arena->barrier, "barrier", CHILDREN), "init");
}

static void semaphore_child(unsigned place) {
  (void)place;
  while (!is_over()) {
    check_done(snarl_semaphore_acquire(&arena->semaphore, LONG), "no permit came");
    count_round();
    check_done(snarl_semaphore_release(&arena->semaphore, 1), "release");
  }
}

/* The permits of whom was killed, which may have held one; not more than there were. */
static void semaphore_tend(void) {
  (void)snarl_semaphore_release(&arena->semaphore, 1);
  while (snarl_semaphore_value(&arena->semaphore) > PERMITS)
    (void)snarl_semaphore_acquire(&arena->semaphore, SNARL_NOW);
}

/* A killed process takes along what it holds: up to four permits, of which there are enough for the kills of a run. */
static void bounded_child(unsigned place) {
  (void)place;
  while (!is_over()) {
    check_done(snarl_semaphore_acquire(&arena->bounded, LONG), "no permit came");
    count_round();
    check_done(snarl_semaphore_release(&arena->bounded, 1), "more permits than there were");
  }
}

static void bounded_check(uint64_t kills) {
  int value = snarl_semaphore_value(&arena->bounded);
  if (value > MANY || value < MANY - (int)kills)
    fail("a killed process takes along what it held, nothing else");
}

static void event_begin(void *memory) {
  begin(memory);
  check_done(snarl_event_set(&arena->turns[0]), "set");
}

/* A turn goes round; who is killed may have had it. */
static void event_child(unsigned place) {
  while (!is_over()) {
    check_done(snarl_event_wait(&arena->turns[place], LONG), "no turn came");
    check_done(snarl_event_clear(&arena->turns[place]), "clear");
    count_round();
    check_done(snarl_event_set(&arena->turns[(place + 1) % CHILDREN]), "set");
  }
}
static void event_settle(unsigned place) { (void)snarl_event_set(&arena->turns[(place + 1) % CHILDREN]); }
static void event_end(void) {
  for (unsigned i = 0; i < CHILDREN; i++)
    (void)snarl_event_set(&arena->turns[i]);
}

/* Who is killed has arrived or not; if not, the time of the others is over, and one of them mends the barrier. */
static void barrier_child(unsigned place) {
  while (!is_over()) {
    int index = snarl_barrier_wait(&arena->barrier, SNARL_MS(1));
    if (index >= CHILDREN)
      fail("more than there are parties");
    if (index >= 0) {
      __atomic_fetch_add(&arena->passed[index], 1, __ATOMIC_RELAXED);
      count_round();
      continue;
    }
    if (index != SNARL_BROKEN && index != SNARL_TIMEOUT)
      check_done(index, "wait");
    if (place == 0) {
      __atomic_fetch_add(&arena->counts.recovered, 1, __ATOMIC_RELAXED);
      check_done(snarl_barrier_reset(&arena->barrier), "reset");
    } else {
      snarl_sleep(SNARL_US(50));
    }
  }
}

/* In a round all places are given out; what one that was killed got, nobody knows. */
static void barrier_check(uint64_t kills) {
  uint64_t least = UINT64_MAX, most = 0;
  for (unsigned i = 0; i < CHILDREN; i++) {
    least = arena->passed[i] < least ? arena->passed[i] : least;
    most = arena->passed[i] > most ? arena->passed[i] : most;
  }
  if (most - least > kills)
    fail("some passed the barrier without the others");
}

const struct traffic wait_traffics[] = {
    {.name = "semaphore", .begin = begin, .child = semaphore_child, .tend = semaphore_tend},
    {.name = "bounded semaphore",
     .begin = begin,
     .child = bounded_child,
     .check = bounded_check,
     .kills_most = MANY - CHILDREN},
    {.name = "event", .begin = event_begin, .child = event_child, .settle = event_settle, .end = event_end},
    {.name = "barrier", .begin = begin, .child = barrier_child, .check = barrier_check},
    {.name = NULL}};
