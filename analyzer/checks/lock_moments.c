/* SPDX-License-Identifier: MIT
 *
 * The second replay, of clocks as well: it notes the moments at which dependencies of candidates were seen. Now and
 * then, ever more rarely, the patterns are looked at: what is settled is a candidate no more and its moments go; when
 * all are, the replay ends. Traces without candidates pay nothing for clocks. One thread per value.
 */
#include "lock_moments.h"
#include <string.h>

#define MOMENTS_MOST 4096u           /* kept of one dependency */
#define MOMENTS_MOST_OF_ALL 2000000u /* kept at one time */
#define FIRST_LOOK 16384u            /* records before the first look; each later one comes after a quarter more */
#define TESTS_OF_LOOK 100000u        /* pairs compared in one look */

struct second_replay {
  struct lock_cycles *cycles;
  struct model model;
  struct happens_before hb;
  uint64_t kept, noted;
  uint64_t noted_before, next_look; /* at the last look; when as many records have been read, the next is due */
  size_t open;                      /* patterns that are not settled */
};

static void drop_thread(void *context, struct thread *thread) {
  happens_before_drop_thread(&((struct second_replay *)context)->hb, thread);
}

static void drop_object(void *context, struct object *object) {
  happens_before_drop_object(&((struct second_replay *)context)->hb, object);
}

static void open_patterns(struct second_replay *replay) {
  struct lock_cycles *cycles = replay->cycles;
  replay->open = cycles->possible.count;
  for (size_t i = 0; i < cycles->possible.count; i++)
    for (uint32_t c = 0; c < cycles->possible.items[i].length; c++) {
      struct lock_class *class = &cycles->classes.items[cycles->possible.items[i].classes[c]];
      if (!class->open++)
        for (size_t m = 0; m < class->members.count; m++)
          class->members.items[m]->is_candidate = true;
    }
}

static void forget_moments(struct second_replay *replay, struct dependency *dep) {
  replay->kept -= dep->instant_count;
  for (size_t i = 0; i < dep->instant_count; i++) {
    clock_drop(&replay->hb.clocks, dependency_instant(dep, i)->hard);
    clock_drop(&replay->hb.clocks, dependency_instant(dep, i)->soft);
  }
  arena_release(replay->cycles->arena, dep->instants);
  dep->instants = NULL;
  dep->instant_count = dep->instant_room = 0;
}

static void close_pattern(struct second_replay *replay, struct lock_cycle *cycle) {
  cycle->is_closed = true;
  replay->open--;
  for (uint32_t c = 0; c < cycle->length; c++) {
    struct lock_class *class = &replay->cycles->classes.items[cycle->classes[c]];
    if (--class->open)
      continue;
    for (size_t m = 0; m < class->members.count; m++) {
      forget_moments(replay, class->members.items[m]);
      dependencies_ignore(replay->cycles->deps, class->members.items[m]);
    }
  }
}

static void look(struct second_replay *replay) {
  struct lock_cycles *cycles = replay->cycles;
  replay->noted_before = replay->noted;
  (void)lock_verdicts_look(cycles, TESTS_OF_LOOK);
  for (size_t i = 0; i < cycles->possible.count; i++)
    if (lock_cycle_is_settled(&cycles->possible.items[i]) && !cycles->possible.items[i].is_closed)
      close_pattern(replay, &cycles->possible.items[i]);
}

static struct instant *instant_new(struct arena *arena, struct dependency *dep) {
  size_t size = sizeof(struct instant) + dep->held->count * sizeof(struct origin);
  if (dep->instant_count == dep->instant_room) {
    dep->instant_room = dep->instant_room ? dep->instant_room * 2 : 1;
    dep->instants = arena_resize(arena, dep->instants, dep->instant_room * size);
  }
  struct instant *instant = dependency_instant(dep, dep->instant_count++);
  memset(instant, 0, size);
  return instant;
}

/* Between two things that a thread learns, its latest moment stands for all: the fewest others know of it. */
static void note(struct second_replay *replay, struct dependency *dep, const struct event *event, struct moment now) {
  struct instant *last = dep->instant_count ? dependency_instant(dep, dep->instant_count - 1) : NULL;
  if (last && last->hard == now.hard && last->soft == now.soft) {
    last->epoch = now.epoch;
    return;
  }
  if (dep->instant_count >= MOMENTS_MOST || replay->kept >= MOMENTS_MOST_OF_ALL) {
    dep->was_cut = true;
    return;
  }
  struct instant *instant = instant_new(replay->cycles->arena, dep);
  instant->hard = clock_keep(now.hard);
  instant->soft = clock_keep(now.soft);
  instant->epoch = now.epoch;
  instant->wanted = (struct origin){event->process->index, event->record->aux, event->record->time, dep->first.thread};
  dependency_origins(dep->held, event->thread, instant->held);
  replay->kept++;
  replay->noted++;
}

static void step(struct second_replay *replay, const struct trace_record *record) {
  struct event event;
  model_step(&replay->model, record, &event);
  happens_before_step(&replay->hb, &replay->model, &event);
  if (!event.wants)
    return;
  struct moment now = happens_before_now(&replay->hb, event.thread);
  struct dependency *dep = dependencies_again(replay->cycles->deps, &event, now.number);
  if (dep)
    note(replay, dep, &event, now);
  if (replay->model.records < replay->next_look)
    return;
  replay->next_look += replay->next_look / 4;
  if (replay->noted > replay->noted_before)
    look(replay);
}

void lock_moments_collect(struct lock_cycles *cycles) {
  struct second_replay *replay = arena_alloc(cycles->arena, sizeof *replay);
  struct trace_record record;
  struct trace *trace = cycles->model->trace;
  replay->cycles = cycles;
  replay->next_look = FIRST_LOOK;
  model_init(&replay->model, cycles->arena, trace);
  happens_before_init(&replay->hb, cycles->arena, replay->model.process_count, &cycles->deps->mixed_sems);
  replay->model.drop_thread = drop_thread;
  replay->model.drop_object = drop_object;
  replay->model.context = replay;
  open_patterns(replay);
  dependencies_begin_second(cycles->deps);
  trace_rewind(trace);
  while (replay->open && trace_next(trace, &record))
    step(replay, &record);
}
