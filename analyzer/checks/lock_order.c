/* SPDX-License-Identifier: MIT
 *
 * Lock-order cycles in words (see lock_order.h). One thread per analysis.
 */
#include "lock_order.h"
#include "lock_reasons.h"

static struct object *held_lock(const struct lock_cycles *cycles, const struct lock_cycle *cycle, uint32_t i) {
  return lock_cycle_lock(cycles, cycle, (i + cycle->length - 1) % cycle->length);
}

struct origin lock_cycle_held(const struct lock_cycles *cycles, const struct lock_cycle *cycle, uint32_t i) {
  const struct dependency *dep = cycle->chosen[i];
  const struct origin *origins = cycle->moments[i].held ? cycle->moments[i].held : dep->first_held;
  uint32_t lock = held_lock(cycles, cycle, i)->serial;
  for (uint32_t m = 0; m < dep->held->count; m++)
    if (lockset_lock(dep->held->members[m]) == lock)
      return origins[m];
  return (struct origin){0};
}

struct origin lock_cycle_wanted(const struct lock_cycle *cycle, uint32_t i) {
  return cycle->moments[i].held ? cycle->moments[i].wanted : cycle->chosen[i]->first;
}

static void announce(const struct lock_cycle *cycle, struct describe *describe) {
  for (uint32_t i = 0; i < cycle->length; i++)
    describe_announce(describe, cycle->chosen[i]->thread);
}

void lock_order_announce(const struct lock_cycles *cycles, struct describe *describe) {
  for (size_t i = 0; i < cycles->possible.count; i++)
    announce(&cycles->possible.items[i], describe);
  for (size_t i = 0; i < cycles->impossible.count; i++)
    announce(&cycles->impossible.items[i], describe);
}

static const char *mode_note(const struct object *lock, bool is_write) {
  if (lock->family == SNARLI_LOCK && !is_write)
    return "for reading";
  return lock->family != SNARLI_RWLOCK ? "" : is_write ? "for writing" : "for reading";
}

static void add_steps(const struct lock_cycles *cycles, const struct lock_cycle *cycle, struct draft *draft,
                      bool with_notes) {
  struct describe *describe = draft->describe;
  for (uint32_t i = 0; i < cycle->length; i++) {
    const struct dependency *dep = cycle->chosen[i];
    struct object *held = held_lock(cycles, cycle, i), *wanted = lock_cycle_lock(cycles, cycle, i);
    const char *mode = mode_note(wanted, dep->want & WANT_WRITE), *note = "";
    if (with_notes)
      note = arena_print(describe->arena, "%s%swhile holding %s", mode, *mode ? ", " : "",
                         describe_object(describe, held));
    draft_step(draft, dep->thread, "acquired", (struct draft_object){.object = held},
               mode_note(held, lockset_holds(dep->held, held->serial) == 2), lock_cycle_held(cycles, cycle, i));
    draft_step(draft, dep->thread, "wants", (struct draft_object){.object = wanted}, note, lock_cycle_wanted(cycle, i));
  }
}

static struct draft draft_of(const struct lock_cycles *cycles, const struct lock_cycle *cycle,
                             struct describe *describe, bool with_notes) {
  struct draft draft = {.describe = describe, .rule = RULE_LOCK_ORDER_CYCLE, .verdict = cycle->verdict};
  add_steps(cycles, cycle, &draft, with_notes);
  return draft;
}

static void draft_drop(struct draft *draft) {
  struct arena *arena = draft->describe->arena;
  vector_free(arena, &draft->threads);
  vector_free(arena, &draft->objects);
  vector_free(arena, &draft->steps);
}

typedef VECTOR(struct lock_group) group_list;

static uint32_t add_to_group(struct lock_order *order, group_list *groups, struct map *by_print,
                             struct lock_cycle *cycle) {
  struct arena *arena = order->describe->arena;
  struct draft draft = draft_of(order->cycles, cycle, order->describe, false);
  uint64_t print = draft_fingerprint(&draft);
  draft_drop(&draft);
  uint32_t number = map_get(by_print, print);
  if (number == MAP_NONE) {
    number = (uint32_t)groups->count;
    vector_push(arena, groups) = (struct lock_group){.fingerprint = print, .best = cycle};
    map_put(arena, by_print, print, number);
  }
  struct lock_group *group = &groups->items[number];
  group->count++;
  if (cycle->verdict > group->best->verdict)
    group->best = cycle;
  return number;
}

void lock_order_group(struct lock_order *order) {
  struct arena *arena = order->describe->arena;
  struct map possible = {0}, impossible = {0};
  for (size_t i = 0; i < order->cycles->possible.count; i++)
    vector_push(arena, &order->group_of) =
        add_to_group(order, (group_list *)&order->groups, &possible, &order->cycles->possible.items[i]);
  for (size_t i = 0; i < order->cycles->impossible.count; i++)
    add_to_group(order, (group_list *)&order->impossible, &impossible, &order->cycles->impossible.items[i]);
  map_free(arena, &possible);
  map_free(arena, &impossible);
}

static const char *title_of(const struct lock_cycles *cycles, const struct lock_cycle *cycle,
                            struct describe *describe) {
  const char **locks = arena_alloc(describe->arena, cycle->length * sizeof *locks);
  const char **threads = arena_alloc(describe->arena, cycle->length * sizeof *threads);
  bool is_one = true;
  for (uint32_t i = 0; i < cycle->length; i++) {
    locks[i] = describe_object(describe, held_lock(cycles, cycle, i));
    threads[i] = describe_thread(describe, cycle->chosen[i]->thread);
    is_one &= cycle->chosen[i]->thread == cycle->chosen[0]->thread;
  }
  return arena_print(describe->arena, "%s take%s %s in %s orders",
                     is_one ? threads[0] : draft_join(describe, threads, cycle->length), is_one ? "s" : "",
                     draft_join(describe, locks, cycle->length), cycle->length == 2 ? "opposite" : "conflicting");
}

static const char *message_of(const struct lock_cycles *cycles, const struct lock_cycle *cycle,
                              struct describe *describe) {
  const char *text = "";
  for (uint32_t i = 0; i < cycle->length; i++)
    text = arena_print(
        describe->arena, "%s%s takes %s%s while it holds %s%s.", *text ? arena_print(describe->arena, "%s ", text) : "",
        describe_thread(describe, cycle->chosen[i]->thread),
        describe_object(describe, lock_cycle_lock(cycles, cycle, i)),
        describe_at(describe, lock_cycle_wanted(cycle, i)), describe_object(describe, held_lock(cycles, cycle, i)),
        describe_at(describe, lock_cycle_held(cycles, cycle, i)));
  if (cycle->verdict == VERDICT_IMPOSSIBLE)
    return text;
  return arena_print(
      describe->arena,
      "%s When each has its first lock before another has given it up, they wait for each other for ever.", text);
}

static struct found found_of(struct lock_order *order, const struct lock_group *group, int32_t number) {
  struct describe *describe = order->describe;
  const struct lock_cycle *cycle = group->best;
  struct draft draft = draft_of(order->cycles, cycle, describe, true);
  draft.count = group->count;
  draft.title = title_of(order->cycles, cycle, describe);
  draft.message = message_of(order->cycles, cycle, describe);
  draft.reason = lock_cycle_reason(order->cycles, cycle, describe);
  struct found found = {.finding = draft_finish(&draft), .core = -1, .group = number};
  if (cycle->verdict == VERDICT_UNCONFIRMED)
    found.finding.level = LEVEL_WARNING;
  if (cycle->verdict == VERDICT_IMPOSSIBLE)
    found.finding.level = LEVEL_NOTE;
  return found;
}

void lock_order_report(struct lock_order *order, struct found_list *found, struct found_list *impossible) {
  for (size_t i = 0; i < order->groups.count; i++)
    vector_push(order->describe->arena, found) = found_of(order, &order->groups.items[i], (int32_t)i);
  for (size_t i = 0; i < order->impossible.count; i++)
    vector_push(order->describe->arena, impossible) = found_of(order, &order->impossible.items[i], -1);
}
