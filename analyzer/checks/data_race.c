/* SPDX-License-Identifier: MIT
 *
 * Races on variables whose accesses are in the trace (see data_race.h). One thread per analysis.
 */
#include "data_race.h"

static void drop_thread(void *context, struct thread *thread) {
  observed_drop_thread(&((struct data_races *)context)->observed, thread);
}

static void drop_object(void *context, struct object *object) {
  struct data_races *races = context;
  observed_drop_object(&races->observed, object);
  lost_updates_drop_object(&races->lost, object);
  uint32_t place = map_get(&races->by_object, object->serial);
  if (place == MAP_NONE)
    return;
  struct race_variable *variable = &races->variables.items[place];
  for (size_t i = 0; i < variable->last.count; i++)
    thread_unpin(&races->model, variable->last.items[i].thread);
  vector_free(races->arena, &variable->last);
  map_remove(&races->by_object, object->serial);
}

static struct race_variable *variable_of(struct data_races *races, struct object *object) {
  uint32_t place = map_get(&races->by_object, object->serial);
  if (place == MAP_NONE) {
    place = (uint32_t)races->variables.count;
    map_put(races->arena, &races->by_object, object->serial, place);
    vector_push(races->arena, &races->variables) = (struct race_variable){.object = object};
  }
  return &races->variables.items[place];
}

static bool is_before(struct data_races *races, const struct race_access *a, const struct race_access *b) {
  return a->thread == b->thread || observed_knows(&races->observed, b->thread, a->thread->serial) >= a->epoch;
}

static void add_race(struct data_races *races, struct object *object, const struct race_access *first,
                     const struct race_access *second) {
  uint64_t key = map_mix(map_mix(map_mix(object->serial) ^ first->origin.stack) ^ second->origin.stack);
  uint32_t place = map_get(&races->seen, key);
  if (place != MAP_NONE) {
    races->races.items[place].count++;
    return;
  }
  map_put(races->arena, &races->seen, key, (uint32_t)races->races.count);
  object->pins++;
  first->thread->pins++;
  second->thread->pins++;
  vector_push(races->arena, &races->races) = (struct race){object, *first, *second, 1};
}

/* A write that comes after an access stands for it, and a thread's newer access for its older of the same kind. */
static bool is_superseded(const struct race_access *old, const struct race_access *now, bool is_ordered) {
  if (now->is_write)
    return is_ordered;
  return !old->is_write && is_ordered && old->thread == now->thread;
}

static void accessed(struct data_races *races, const struct event *event) {
  struct race_variable *variable = variable_of(races, event->object);
  struct race_access now = {.thread = event->thread, .is_write = event->record->type == SNARLI_R_SHARED_WRITTEN};
  now.origin = (struct origin){event->process->index, event->record->aux, event->record->time, event->thread->serial};
  now.epoch = observed_epoch(&races->observed, event->thread);
  size_t kept = 0;
  for (size_t i = 0; i < variable->last.count; i++) {
    struct race_access *old = &variable->last.items[i];
    bool is_ordered = is_before(races, old, &now);
    if (!is_ordered && (old->is_write || now.is_write))
      add_race(races, event->object, old, &now);
    if (is_superseded(old, &now, is_ordered))
      thread_unpin(&races->model, old->thread);
    else
      variable->last.items[kept++] = *old;
  }
  variable->last.count = kept;
  now.thread->pins++;
  vector_push(races->arena, &variable->last) = now;
}

void data_races_find(struct data_races *races, struct arena *arena, struct trace *trace) {
  struct trace_record record;
  struct event event;
  *races = (struct data_races){.arena = arena};
  model_init(&races->model, arena, trace);
  observed_init(&races->observed, arena, races->model.process_count);
  races->lost = (struct lost_updates){.arena = arena, .model = &races->model, .observed = &races->observed};
  races->model.drop_thread = drop_thread;
  races->model.drop_object = drop_object;
  races->model.context = races;
  trace_rewind(trace);
  while (trace_next(trace, &record)) {
    model_step(&races->model, &record, &event);
    observed_step(&races->observed, &races->model, &event);
    if (event.info->family == SNARLI_SHARED && event.object)
      accessed(races, &event);
    if (event.info->family == SNARLI_MANAGED && event.object)
      lost_updates_step(&races->lost, &event);
  }
}

void data_races_announce(const struct data_races *races, struct describe *describe) {
  for (size_t i = 0; i < races->races.count; i++) {
    describe_announce(describe, races->races.items[i].first.thread);
    describe_announce(describe, races->races.items[i].second.thread);
  }
  lost_updates_announce(&races->lost, describe);
}

static const char *verb(const struct race_access *access) { return access->is_write ? "writes" : "reads"; }

static struct finding finding_of(struct describe *describe, const struct race *race) {
  struct draft draft = {.describe = describe, .rule = RULE_DATA_RACE, .count = race->count};
  const struct race_access *first = &race->first, *second = &race->second;
  const char *one = describe_thread(describe, first->thread), *other = describe_thread(describe, second->thread);
  const char *variable = describe_object(describe, race->object);
  draft.verdict = VERDICT_HAPPENED;
  draft.reason = "nothing in this run ordered the two accesses: no lock, join, queue, event or other hand-over";
  draft.title =
      arena_print(describe->arena, "%s %s and %s %s %s, in no order", one, verb(first), other, verb(second), variable);
  draft.message = arena_print(describe->arena,
                              "%s %s %s%s, and %s %s it%s. Nothing makes one of them wait for the other, so each may "
                              "see the other's work half done, and what is written last wins.",
                              one, verb(first), variable, describe_at(describe, first->origin), other, verb(second),
                              describe_at(describe, second->origin));
  struct draft_object object = {.object = race->object};
  draft_step(&draft, first->thread, verb(first), object, "", first->origin);
  draft_step(&draft, second->thread, verb(second), object, "", second->origin);
  return draft_finish(&draft);
}

void data_races_report(const struct data_races *races, struct describe *describe, struct found_list *found) {
  size_t before = found->count;
  for (size_t i = 0; i < races->races.count; i++)
    found_merge(describe, found, before, finding_of(describe, &races->races.items[i]));
  lost_updates_report(&races->lost, describe, found);
}
