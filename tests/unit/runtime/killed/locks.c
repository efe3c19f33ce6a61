/* SPDX-License-Identifier: MIT
 *
 * Lock, RLock, Value and Array in processes that are killed.
 */
#include "killed.h"

typedef SNARL_VALUE(uint64_t) value;
typedef SNARL_ARRAY(uint64_t, CHILDREN + 1) row; /* one for each, one for all */

static struct arena {
  struct counts counts;
  snarl_lock lock;
  snarl_rlock rlock;
  int first, second;
  value value;
  row row;
  uint64_t done[CHILDREN];
} * arena;

static void begin(void *memory) {
  arena = memory;
  check_done(snarl_lock_init_shared(&arena->lock, "lock"), "init");
  check_done(snarl_rlock_init_shared(&arena->rlock, "rlock"), "init");
  check_done(snarl_value_init_shared(&arena->value, "value"), "init");
  check_done(snarl_array_init_shared(&arena->row, "row"), "init");
}

/* The two halves are equal unless an owner was killed between them. */
static void acquired(int status) {
  if (status == SNARL_RECOVERED)
    arena->counts.recovered++, arena->second = arena->first;
  else
    check_done(status, "acquire");
  if (arena->first != arena->second)
    fail("a killed owner's half is shown as whole");
}

static void change_both(void) {
  __atomic_fetch_add(&arena->first, 1, __ATOMIC_RELAXED);
  count_round();
  __atomic_fetch_add(&arena->second, 1, __ATOMIC_RELAXED);
}

static void lock_child(unsigned place) {
  (void)place;
  while (!is_over()) {
    acquired(snarl_lock_acquire(&arena->lock, LONG));
    change_both();
    check_done(snarl_lock_release(&arena->lock), "release");
  }
}

static void rlock_child(unsigned place) {
  (void)place;
  while (!is_over()) {
    uint64_t depth = draw(3);
    acquired(snarl_rlock_acquire(&arena->rlock, LONG));
    for (uint64_t i = 0; i < depth; i++)
      check_done(snarl_rlock_acquire(&arena->rlock, SNARL_NOW), "acquired by its owner");
    change_both();
    for (uint64_t i = 0; i <= depth; i++)
      check_done(snarl_rlock_release(&arena->rlock), "release");
  }
}

static void value_child(unsigned place) {
  for (; !is_over(); count_round()) {
    (void)snarl_value_update(&arena->value, += 1);
    (void)snarl_array_update(&arena->row, place, += 1);
    (void)snarl_array_update(&arena->row, CHILDREN, += 1);
    __atomic_fetch_add(&arena->done[place], 1, __ATOMIC_RELAXED);
  }
}

/* Each that was killed may have counted once without saying so. */
static void check_sum(uint64_t sum, uint64_t done, uint64_t kills) {
  if (sum < done || sum > done + kills)
    fail("an update is lost, or there are too many");
}

static void value_check(uint64_t kills) {
  uint64_t done = 0;
  for (unsigned i = 0; i < CHILDREN; i++) {
    check_sum(snarl_array_get(&arena->row, i), arena->done[i], kills);
    done += arena->done[i];
  }
  check_sum(snarl_value_get(&arena->value), done, kills);
  check_sum(snarl_array_get(&arena->row, CHILDREN), done, kills);
}

const struct traffic lock_traffics[] = {
    {.name = "lock", .begin = begin, .child = lock_child},
    {.name = "rlock", .begin = begin, .child = rlock_child},
    {.name = "value and array", .begin = begin, .child = value_child, .check = value_check},
    {.name = NULL}};
