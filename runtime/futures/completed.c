/* SPDX-License-Identifier: MIT
 *
 * Waiting for several futures: a group that each of them tells when it is done. The group lives until the last of them
 * has told it, which may be after the waiter has left. Entered by any thread.
 */
#include "core/eventcount.h"
#include "future.h"
#include <stdlib.h>

struct member {
  struct snarli_watcher watcher;
  struct snarl_completed *group;
  snarl_future *future;
  struct member *next; /* the one that was done after it */
};

struct snarl_completed {
  uint32_t references; /* one for the waiter, one for each future that has not told yet */
  uint32_t guard;
  struct member *first, *last; /* done and not yet handed out */
  size_t done, failed, handed, count;
  struct snarli_eventcount changes;
  struct member members[];
};

static void unref(struct snarl_completed *group) {
  if (snarli_add(&group->references, UINT32_MAX) == 1)
    free(group);
}

static void add(struct member *member) {
  struct snarl_completed *group = member->group;
  snarli_guard(&group->guard);
  if (group->first)
    group->last->next = member;
  else
    group->first = member;
  group->last = member;
  group->done++;
  group->failed += (snarli_load(&member->future->state) & SNARLI_STATE) == SNARLI_FAILED;
  snarli_unguard(&group->guard);
  snarli_eventcount_wake(&group->changes, true);
}

static void is_done(struct snarli_watcher *watcher, snarl_future *future) {
  struct member *member = (struct member *)watcher;
  (void)future;
  struct snarl_completed *group = member->group;
  add(member);
  unref(group);
}

int snarl_as_completed(snarl_completed **completed, snarl_future *const *futures, size_t count) {
  if (!completed || (count && !futures) || count > (UINT32_MAX - 1) / 2)
    return snarli_refuse(SNARL_INVALID, completed, NULL);
  for (size_t i = 0; i < count; i++)
    if (!futures[i])
      return snarli_refuse(SNARL_INVALID, completed, NULL);
  struct snarl_completed *group = malloc(sizeof *group + count * sizeof *group->members);
  if (!group)
    return SNARL_NO_MEMORY;
  *group = (struct snarl_completed){.references = (uint32_t)count + 1, .count = count};
  for (size_t i = 0; i < count; i++) {
    struct member *member = &group->members[i];
    *member = (struct member){.watcher.done = is_done, .group = group, .future = futures[i]};
    if (!snarli_future_watch(futures[i], &member->watcher))
      is_done(&member->watcher, futures[i]);
  }
  *completed = group;
  return SNARL_OK;
}

void snarl_completed_drop(snarl_completed *completed) {
  if (completed)
    unref(completed);
}

void snarli_completed_left(snarl_completed **completed) { snarl_completed_drop(*completed); }

/* What a waiter waits for; called with the guard held. */
typedef bool condition(const struct snarl_completed *group);

static bool has_one_to_hand_out(const struct snarl_completed *group) { return group->first != NULL; }
static bool has_one(const struct snarl_completed *group) { return group->done > 0 || !group->count; }
static bool has_failure(const struct snarl_completed *group) {
  return group->failed > 0 || group->done == group->count;
}
static bool has_all(const struct snarl_completed *group) { return group->done == group->count; }

static bool is_so(struct snarl_completed *group, condition *condition) {
  snarli_guard(&group->guard);
  bool is = condition(group);
  snarli_unguard(&group->guard);
  return is;
}

static bool await(struct snarl_completed *group, condition *condition, int64_t deadline) {
  while (!is_so(group, condition)) {
    uint32_t key = snarli_eventcount_announce(&group->changes);
    bool is = is_so(group, condition);
    if (!is && snarli_eventcount_sleep(&group->changes, key, deadline))
      continue;
    snarli_eventcount_leave(&group->changes, key);
    return is || is_so(group, condition);
  }
  return true;
}

/* In the trace a wait for several is a wait for the first of them that is not done. */
static snarl_future *not_done(const struct snarl_completed *group) {
  for (size_t i = 0; i < group->count; i++)
    if (!snarl_future_done(group->members[i].future))
      return group->members[i].future;
  return NULL;
}

static bool await_recorded(struct snarl_completed *group, condition *condition, snarl_time timeout,
                           struct snarl_site *site) {
  bool is = is_so(group, condition);
  snarl_future *future = is || timeout <= 0 || !snarli_records() ? NULL : not_done(group);
  if (future)
    snarli_record_aux(SNARLI_R_FUTURE_WAIT_REQUESTED, snarli_flags(timeout), snarli_future_address(future),
                      snarli_place(site));
  is = is || await(group, condition, snarli_deadline(timeout));
  if (future)
    snarli_record_aux(is ? SNARLI_R_FUTURE_WAIT_RETURNED : SNARLI_R_FUTURE_WAIT_FAILED,
                      is ? 0 : (unsigned)snarli_errno_of(SNARL_TIMEOUT), snarli_future_address(future),
                      snarli_place(site));
  return is;
}

int snarl_completed_next_at(snarl_completed *completed, snarl_time timeout, snarl_future **future,
                            struct snarl_site *site) {
  if (!completed || !future)
    return snarli_refuse(SNARL_INVALID, completed, site);
  if (completed->handed == completed->count)
    return SNARL_CLOSED;
  if (!await_recorded(completed, has_one_to_hand_out, timeout, site))
    return SNARL_TIMEOUT;
  snarli_guard(&completed->guard);
  struct member *member = completed->first;
  completed->first = member->next;
  completed->handed++;
  snarli_unguard(&completed->guard);
  *future = member->future;
  return SNARL_OK;
}

int snarl_wait_at(snarl_future *const *futures, size_t count, enum snarl_when when, snarl_time timeout,
                  struct snarl_site *site) {
  static condition *const conditions[] = {
      [SNARL_FIRST_COMPLETED] = has_one, [SNARL_FIRST_EXCEPTION] = has_failure, [SNARL_ALL_COMPLETED] = has_all};
  snarl_completed *group = NULL;
  if ((unsigned)when >= sizeof conditions / sizeof *conditions || count > INT32_MAX)
    return snarli_refuse(SNARL_INVALID, futures, site);
  int status = snarl_as_completed(&group, futures, count);
  if (status)
    return status;
  bool is = await_recorded(group, conditions[when], timeout, site);
  snarli_guard(&group->guard);
  size_t done = group->done;
  snarli_unguard(&group->guard);
  unref(group);
  return is ? (int)done : SNARL_TIMEOUT;
}
