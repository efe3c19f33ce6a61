/* SPDX-License-Identifier: MIT
 *
 * Calls that libsnarl refused (see misuse.h). One thread per analysis.
 */
#include "misuse.h"

static const char *const words[256] = {
#define MISUSE(id, NAME, text) [id] = text,
#include <snarl/trace/misuses.def>
};

void misuses_step(struct misuses *misuses, const struct event *event) {
  if (event->record->type != SNARLI_R_OBJECT_MISUSED || !words[event->record->arg])
    return;
  uint64_t key = map_mix((uint64_t)event->process->index << 32 | event->record->aux) ^
                 map_mix(event->object ? event->object->serial : 0) ^ event->record->arg;
  uint32_t place = map_get(&misuses->seen, key);
  if (place != MAP_NONE) {
    misuses->all.items[place].count++;
    return;
  }
  map_put(misuses->arena, &misuses->seen, key, (uint32_t)misuses->all.count);
  event->thread->pins++;
  if (event->object)
    event->object->pins++;
  struct origin origin = {event->process->index, event->record->aux, event->record->time, event->thread->serial};
  vector_push(misuses->arena, &misuses->all) =
      (struct misuse){event->thread, event->object, origin, (uint8_t)event->record->arg, 1};
}

void misuses_announce(const struct misuses *misuses, struct describe *describe) {
  for (size_t i = 0; i < misuses->all.count; i++)
    describe_announce(describe, misuses->all.items[i].thread);
}

static struct finding finding_of(struct describe *describe, const struct misuse *misuse) {
  struct draft draft = {.describe = describe, .rule = RULE_MISUSE, .count = misuse->count};
  const char *who = describe_thread(describe, misuse->thread);
  const char *what = misuse->object ? describe_object(describe, misuse->object) : "an object";
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "libsnarl checked the call and refused it";
  draft.title = arena_print(describe->arena, "%s misuses %s: %s", who, what, words[misuse->what]);
  draft.message =
      arena_print(describe->arena,
                  "%s made a call with %s%s, but %s. The call was refused with a status and changed nothing; what "
                  "it was meant to do was not done.",
                  who, what, describe_at(describe, misuse->origin), words[misuse->what]);
  draft_step(&draft, misuse->thread, "misuses", (struct draft_object){.object = misuse->object}, "", misuse->origin);
  return draft_finish(&draft);
}

void misuses_report(const struct misuses *misuses, struct describe *describe, struct found_list *found) {
  size_t before = found->count;
  for (size_t i = 0; i < misuses->all.count; i++)
    found_merge(describe, found, before, finding_of(describe, &misuses->all.items[i]));
}
