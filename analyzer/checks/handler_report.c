/* SPDX-License-Identifier: MIT
 *
 * Locks that signal handlers take, in words (see handler_locks.h). One thread per analysis.
 */
#include "handler_locks.h"
#include <string.h>

void handler_locks_announce(const struct handler_locks *locks, struct describe *describe) {
  for (size_t i = 0; i < locks->uses.count; i++)
    describe_announce(describe, locks->uses.items[i].thread);
}

/* "SIGUSR1", "SIGUSR1 or SIGTERM" */
static const char *signal_names(struct describe *describe, uint64_t signals) {
  const char *text = "";
  for (unsigned signal = 1; signal < SIGNALS; signal++) {
    if (!(signals >> signal & 1))
      continue;
    const char *name = sigabbrev_np((int)signal);
    text = arena_print(describe->arena, "%s%s%s", text, *text ? " or " : "",
                       name ? arena_print(describe->arena, "SIG%s", name)
                            : arena_print(describe->arena, "signal %u", signal));
  }
  return text;
}

static struct finding finding_of(struct describe *describe, const struct handler_use *use) {
  struct draft draft = {.describe = describe, .rule = RULE_LOCK_IN_SIGNAL_HANDLER, .count = 1};
  const char *who = describe_thread(describe, use->thread), *lock = describe_object(describe, use->lock);
  const char *signals = signal_names(describe, use->signals);
  const char *handler = *use->handler ? use->handler : "A signal handler";
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "both were seen in this run on one thread; the signal need only come at the wrong moment";
  draft.title = arena_print(describe->arena, "%s takes %s in a handler of %s and outside of it", who, lock, signals);
  draft.message = arena_print(describe->arena,
                              "%s runs on %s when %s comes, and takes %s%s. Outside of handlers %s takes it, too%s, "
                              "with the signal not blocked. "
                              "If it comes there, the handler waits for the thread that it interrupted, for ever.",
                              handler, who, signals, lock, describe_at(describe, use->inside), who,
                              describe_at(describe, use->outside));
  draft_step(&draft, use->thread, "takes", (struct draft_object){.object = use->lock},
             arena_print(describe->arena, "while %s is not blocked", signals), use->outside);
  draft_step(&draft, use->thread, "takes", (struct draft_object){.object = use->lock},
             arena_print(describe->arena, "in a handler of %s", signals), use->inside);
  return draft_finish(&draft);
}

/* Threads that do the same at the same places are one finding. */
void handler_locks_report(const struct handler_locks *locks, struct describe *describe, struct found_list *found) {
  size_t before = found->count;
  for (size_t i = 0; i < locks->uses.count; i++)
    found_merge(describe, found, before, finding_of(describe, &locks->uses.items[i]));
}
