/* SPDX-License-Identifier: MIT
 *
 * Locks that a fork left locked (see fork_locks.h). One thread per analysis.
 */
#include "fork_locks.h"
#include "deadlock.h"
#include <errno.h>
#include <string.h>

void fork_locks_init(struct fork_locks *locks, struct arena *arena, struct model *model) {
  *locks = (struct fork_locks){.arena = arena, .model = model};
}

/* A lock that can be had is had without a request; EAGAIN is a semaphore's way to say that it is not free, EOWNERDEAD
 * libsnarl's that it never will be. */
static bool is_miss(const struct event *event) {
  unsigned error = event->record->arg;
  if (event->info->phase == SNARLI_REQUEST)
    return !(event->record->arg & SNARLI_F_TIMED);
  return event->info->phase == SNARLI_FAIL &&
         (error == EBUSY || error == ETIMEDOUT || error == EAGAIN || error == EOWNERDEAD);
}

void fork_locks_step(struct fork_locks *locks, const struct event *event) {
  struct object *lock = event->object;
  if (!lock || !lock->orphaned_by || !is_lock(lock) || !is_miss(event) ||
      map_get(&locks->seen, lock->serial) != MAP_NONE)
    return;
  map_put(locks->arena, &locks->seen, lock->serial, 1);
  lock->pins++;
  event->thread->pins++;
  struct origin asked = {event->process->index, event->record->aux, event->record->time, event->thread->serial};
  vector_push(locks->arena, &locks->misses) = (struct fork_miss){lock, event->thread, asked};
}

void fork_locks_settle(struct fork_locks *locks, const struct wait_graph *graph) {
  size_t kept = 0;
  for (size_t i = 0; i < locks->misses.count; i++) {
    struct fork_miss *miss = &locks->misses.items[i];
    if (miss->lock->orphaned_by && is_lock(miss->lock) && !deadlock_covers(graph, &miss->lock, 1))
      locks->misses.items[kept++] = *miss;
  }
  locks->misses.count = kept;
}

void fork_locks_announce(const struct fork_locks *locks, struct describe *describe) {
  for (size_t i = 0; i < locks->misses.count; i++) {
    describe_announce(describe, locks->misses.items[i].thread);
    describe_announce(describe, locks->misses.items[i].lock->orphaned_by);
  }
}

static struct finding finding_of(struct describe *describe, const struct fork_miss *miss) {
  struct draft draft = {.describe = describe, .rule = RULE_FORK_HOLDING_LOCK, .count = 1};
  struct thread *holder = miss->lock->orphaned_by;
  const char *lock = describe_object(describe, miss->lock), *who = describe_thread(describe, miss->thread);
  const char *owner = describe_thread(describe, holder);
  struct origin forked_at = miss->lock->process->forked_at;
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "the lock was held at the fork, and nobody in the child ever got it";
  draft.title = arena_print(describe->arena, "%s cannot have %s: %s held it at the fork", who, lock, owner);
  draft.message = arena_print(describe->arena,
                              "%s held %s%s when %s was forked%s. Only the thread that calls fork goes on in the "
                              "child, so there the lock stays "
                              "locked for ever: %s asked for it in vain%s.",
                              owner, lock, describe_at(describe, miss->lock->orphaned),
                              describe_process(describe, miss->lock->process), describe_at(describe, forked_at), who,
                              describe_at(describe, miss->asked));
  draft_step(&draft, holder, "held", (struct draft_object){.object = miss->lock}, "", miss->lock->orphaned);
  if (miss->lock->process->forker && miss->lock->process->forker->serial == miss->lock->process->forker_serial)
    draft_step(&draft, miss->lock->process->forker, "forked", (struct draft_object){.process = miss->lock->process}, "",
               forked_at);
  draft_step(&draft, miss->thread, "asked for", (struct draft_object){.object = miss->lock}, "in vain", miss->asked);
  return draft_finish(&draft);
}

/* Children that were forked at one place are one finding. */
void fork_locks_report(const struct fork_locks *locks, struct describe *describe, struct found_list *found) {
  size_t before = found->count;
  for (size_t i = 0; i < locks->misses.count; i++)
    found_merge(describe, found, before, finding_of(describe, &locks->misses.items[i]));
}
