/* SPDX-License-Identifier: MIT
 *
 * Lost updates of a manager's items (see lost_update.h). One thread per analysis.
 */
#include "lost_update.h"

static struct item *item_of(struct lost_updates *updates, const struct object *object) {
  uint32_t place = map_get(&updates->by_object, object->serial);
  if (place == MAP_NONE) {
    place = (uint32_t)updates->items.count;
    map_put(updates->arena, &updates->by_object, object->serial, place);
    vector_push(updates->arena, &updates->items) = arena_alloc(updates->arena, sizeof(struct item));
    *updates->items.items[place] = (struct item){.change_count = 0};
  }
  return updates->items.items[place];
}

void lost_updates_drop_object(struct lost_updates *updates, const struct object *object) {
  uint32_t place = map_get(&updates->by_object, object->serial);
  if (place == MAP_NONE)
    return;
  struct item *item = updates->items.items[place];
  uint32_t kept = item->change_count < ITEM_CHANGES ? item->change_count : ITEM_CHANGES;
  for (uint32_t i = 0; i < kept; i++)
    thread_unpin(updates->model, item->changes[i].thread);
  for (size_t i = 0; i < item->users.count; i++)
    thread_unpin(updates->model, item->users.items[i].thread);
  vector_free(updates->arena, &item->users);
  map_remove(&updates->by_object, object->serial);
}

static struct item_user *user_of(struct lost_updates *updates, struct item *item, struct thread *thread) {
  for (size_t i = 0; i < item->users.count; i++)
    if (item->users.items[i].thread == thread)
      return &item->users.items[i];
  thread->pins++;
  vector_push(updates->arena, &item->users) = (struct item_user){.thread = thread};
  return &item->users.items[item->users.count - 1];
}

static struct origin here(const struct event *event) {
  return (struct origin){event->process->index, event->record->aux, event->record->time, event->thread->serial};
}

/* NULL: it is not known, or not yet, who made this version. */
static const struct item_change *change_to(const struct item *item, uint32_t version) {
  uint32_t kept = item->change_count < ITEM_CHANGES ? item->change_count : ITEM_CHANGES;
  for (uint32_t i = 0; i < kept; i++)
    if (item->changes[i].version == version)
      return &item->changes[i];
  return NULL;
}

static void add_lost(struct lost_updates *updates, struct lost_update lost) {
  uint64_t key = map_mix(map_mix(lost.object->serial) ^ lost.read_at.stack);
  key = map_mix(map_mix(key ^ lost.lost.origin.stack) ^ lost.written_at.stack);
  uint32_t place = map_get(&updates->seen, key);
  if (place != MAP_NONE) {
    updates->found.items[place].count++;
    return;
  }
  map_put(updates->arena, &updates->seen, key, (uint32_t)updates->found.count);
  lost.object->pins++;
  lost.lost.thread->pins++;
  lost.thread->pins++;
  vector_push(updates->arena, &updates->found) = lost;
}

static bool knows(const struct lost_updates *updates, const struct item_user *user, const struct item_change *change) {
  return change->thread == user->thread ||
         observed_knows(updates->observed, user->thread, change->thread->serial) >= change->epoch;
}

/* Who overwrote this change and was noted down before it. */
static void settle_early(struct lost_updates *updates, struct object *object, struct item *item,
                         const struct item_change *change) {
  for (size_t i = 0; i < item->users.count; i++) {
    struct item_user *user = &item->users.items[i];
    if (user->early.version != change->version)
      continue;
    if (!knows(updates, user, change))
      add_lost(updates,
               (struct lost_update){object, *change, user->thread, user->early.read_at, user->early.written_at, 1});
    user->early.version = 0;
  }
}

/* The version that this user made. */
static void add_change(struct lost_updates *updates, struct item *item, const struct item_user *user,
                       const struct event *event) {
  struct item_change *change = &item->changes[item->change_count % ITEM_CHANGES];
  if (!user->now) /* it is not there any more */
    return;
  if (item->change_count++ >= ITEM_CHANGES)
    thread_unpin(updates->model, change->thread);
  user->thread->pins++;
  *change = (struct item_change){user->thread, here(event), user->now, user->epoch};
  settle_early(updates, event->object, item, change);
}

/* Two who set the same flag have agreed, and so have two who find nothing and set the same. */
static void written(struct lost_updates *updates, const struct event *event, struct item *item,
                    struct item_user *user) {
  if (!user->has_read || user->read == user->overwritten || user->is_agreed || (!user->read && user->is_same))
    return;
  const struct item_change *lost = change_to(item, user->overwritten);
  if (!lost) {
    user->early.version = user->overwritten;
    user->early.read_at = user->read_at;
    user->early.written_at = here(event);
  } else if (!knows(updates, user, lost)) {
    add_lost(updates, (struct lost_update){event->object, *lost, user->thread, user->read_at, here(event), 1});
  }
}

static void note_version(struct item_user *user, const struct trace_record *record) {
  if (record->arg == SNARLI_V_NOW)
    user->now = record->aux;
  else if (record->arg == SNARLI_V_OVERWRITTEN)
    user->overwritten = record->aux;
  user->is_same |= record->arg == SNARLI_V_SAME || record->arg == SNARLI_V_AGREED;
  user->is_agreed |= record->arg == SNARLI_V_AGREED;
}

void lost_updates_step(struct lost_updates *updates, const struct event *event) {
  struct item *item = item_of(updates, event->object);
  struct item_user *user = user_of(updates, item, event->thread);
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_MANAGED_GIVEN: /* what it handed out before it was counted on */
    user->epoch = observed_epoch(updates->observed, event->thread) - 1;
    user->is_same = user->is_agreed = false;
    break;
  case SNARLI_R_MANAGED_VERSION:
    note_version(user, event->record);
    break;
  case SNARLI_R_MANAGED_READ:
    user->has_read = true;
    user->read = user->now;
    user->read_at = here(event);
    break;
  case SNARLI_R_MANAGED_WRITTEN:
    written(updates, event, item, user);
    add_change(updates, item, user, event);
    user->has_read = false;
    break;
  case SNARLI_R_MANAGED_CHANGED:
    add_change(updates, item, user, event);
    user->has_read = false;
    break;
  default:
    break;
  }
}

void lost_updates_announce(const struct lost_updates *updates, struct describe *describe) {
  for (size_t i = 0; i < updates->found.count; i++) {
    describe_announce(describe, updates->found.items[i].thread);
    describe_announce(describe, updates->found.items[i].lost.thread);
  }
}

static struct finding finding_of(struct describe *describe, const struct lost_update *update) {
  struct draft draft = {.describe = describe, .rule = RULE_DATA_RACE, .count = update->count};
  const char *one = describe_thread(describe, update->thread), *other = describe_thread(describe, update->lost.thread);
  const char *item = describe_object(describe, update->object);
  draft.verdict = VERDICT_HAPPENED;
  draft.reason =
      "the versions of the item say in which order it was read and set, and nothing told the one of the other";
  draft.title = arena_print(describe->arena, "%s sets %s, and what %s has set is lost", one, item, other);
  draft.message =
      arena_print(describe->arena,
                  "%s gets %s%s and sets it again%s. In between %s has changed it%s, and that is lost: each "
                  "call is one step, but two calls are two, and nothing makes one wait for the other.",
                  one, item, describe_at(describe, update->read_at), describe_at(describe, update->written_at), other,
                  describe_at(describe, update->lost.origin));
  draft.help = "Hold one lock over the get and the set, or let the manager do it in one step: add, append, setdefault, "
               "compare_and_set or change.";
  struct draft_object object = {.object = update->object};
  draft_step(&draft, update->thread, "gets", object, "", update->read_at);
  draft_step(&draft, update->lost.thread, "changes", object, "", update->lost.origin);
  draft_step(&draft, update->thread, "sets", object, "", update->written_at);
  return draft_finish(&draft);
}

void lost_updates_report(const struct lost_updates *updates, struct describe *describe, struct found_list *found) {
  size_t before = found->count;
  for (size_t i = 0; i < updates->found.count; i++)
    found_merge(describe, found, before, finding_of(describe, &updates->found.items[i]));
}
