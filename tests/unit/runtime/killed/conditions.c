/* SPDX-License-Identifier: MIT
 *
 * Condition in processes that are killed: notifications for one, and for all who then look for themselves.
 */
#include "killed.h"

enum { ROOM = 2 };

static struct arena {
  struct counts counts;
  snarl_lock lock;
  snarl_condition filled, emptied, changed;
  int items;
} * arena;

static void begin(void *memory) {
  arena = memory;
  check_done(snarl_lock_init_shared(&arena->lock, "lock"), "init");
  check_done(snarl_condition_init_shared_on(&arena->filled, "filled", &arena->lock), "init");
  check_done(snarl_condition_init_shared_on(&arena->emptied, "emptied", &arena->lock), "init");
  check_done(snarl_condition_init_shared(&arena->changed, "changed"), "init");
}

static void check_held(int status, const char *what) {
  if (status == SNARL_RECOVERED)
    arena->counts.recovered++;
  else
    check_done(status, what);
}

static void notify_child(unsigned place) {
  (void)place;
  check_held(snarl_lock_acquire(&arena->lock, LONG), "acquire");
  while (!is_over()) {
    if (arena->items) {
      arena->items--;
      count_round();
      (void)snarl_condition_notify(&arena->emptied, 1);
    }
    check_held(snarl_condition_wait(&arena->filled, LONG), "a waiter got no notification");
  }
  check_done(snarl_lock_release(&arena->lock), "release");
}

/* One item for one of the waiters: another takes it if the one that was woken is killed. */
static void notify_tend(void) {
  check_held(snarl_lock_acquire(&arena->lock, LONG), "acquire");
  arena->items++;
  (void)snarl_condition_notify(&arena->filled, 1);
  check_done(snarl_lock_release(&arena->lock), "release");
}

static void notify_settle(unsigned place) {
  (void)place;
  snarl_time deadline = snarl_deadline(LONG);
  check_held(snarl_lock_acquire(&arena->lock, LONG), "acquire");
  while (arena->items) { /* a child may have been killed when it was about to notify */
    (void)snarl_condition_wait(&arena->emptied, SNARL_MS(20));
    if (!snarl_time_left(deadline))
      fail("a notification was swallowed");
  }
  check_done(snarl_lock_release(&arena->lock), "release");
}

static void notify_end(void) {
  check_held(snarl_lock_acquire(&arena->lock, LONG), "acquire");
  (void)snarl_condition_notify_all(&arena->filled);
  check_done(snarl_lock_release(&arena->lock), "release");
}

/* Who finds that the last owner was killed tells the others, which that one may have been about to do. */
static void repair(int status) {
  check_held(status, "nobody said that something has changed");
  if (status)
    (void)snarl_condition_notify_all(&arena->changed);
  if (arena->items < 0 || arena->items > ROOM)
    fail("more than there is room for");
}

static bool may_go_on(void *by) { return is_over() || (*(int *)by > 0 ? arena->items < ROOM : arena->items > 0); }

static void wait_for_child(unsigned place) {
  int by = place % 2 ? 1 : -1;
  while (!is_over()) {
    int status = snarl_condition_acquire(&arena->changed, LONG);
    for (repair(status); !may_go_on(&by); repair(status))
      status = snarl_condition_wait_for(&arena->changed, LONG, may_go_on, &by);
    if (!is_over())
      arena->items += by;
    count_round();
    (void)snarl_condition_notify_all(&arena->changed);
    check_done(snarl_condition_release(&arena->changed), "release");
  }
}

static void wait_for_end(void) {
  repair(snarl_condition_acquire(&arena->changed, LONG));
  (void)snarl_condition_notify_all(&arena->changed);
  check_done(snarl_condition_release(&arena->changed), "release");
}

const struct traffic condition_traffics[] = {
    {.name = "condition, notify",
     .begin = begin,
     .child = notify_child,
     .tend = notify_tend,
     .settle = notify_settle,
     .end = notify_end},
    {.name = "condition, notify all", .begin = begin, .child = wait_for_child, .end = wait_for_end},
    {.name = NULL}};
