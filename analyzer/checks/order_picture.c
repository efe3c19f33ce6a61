/* SPDX-License-Identifier: MIT
 *
 * The happens-before picture (see order_picture.h). What gives an order (a release, a post, the creation of a thread)
 * is kept until something else takes its place; what takes one (an acquire, a begin, a join) makes an arrow from it. A
 * new family of records needs a case in `giver` or `taker`, and words in `verb`. One thread per analysis.
 */
#include "order_picture.h"
#include "../model/model.h"
#include <stdlib.h>
#include <string.h>

#define NODES_MOST 400u /* that are drawn; what is left out is counted */

/* Something that a thread did. */
struct deed {
  uint64_t number; /* of the record, 0: none */
  uint32_t thread; /* serial */
  const char *thread_label, *thread_detail, *label;
  struct origin origin;
};

struct arrow {
  struct deed from, to;
  const char *label;
  bool must_be; /* in every run, not only in this */
};

/* A thread of a finding. */
struct track {
  struct arrow before; /* the newest that led to it */
  bool wants_after;    /* it has done a step of a finding, and the first arrow that leaves it is not there yet */
};

struct drawn {
  struct deed deed;
  int32_t cycle;
};
struct drawn_edge {
  uint32_t from, to; /* places in `drawn` */
  const char *label;
  bool must_be;
};

struct scroll {
  struct arena *arena;
  struct describe *describe;
  struct model model;
  const struct map *mixed_sems;
  const int32_t *number_of;
  bool show_all;
  struct map tracks_of; /* serial -> place in tracks */
  VECTOR(struct track) tracks;
  struct map marks_of;  /* hash of thread and time -> mark + 1 */
  struct map givers_of; /* kind and serial -> place in givers */
  VECTOR(struct deed) givers;
  struct map drawn_of; /* number of a record -> place in drawn */
  VECTOR(struct drawn) drawn;
  VECTOR(struct drawn_edge) edges;
  uint64_t left_out, edges_left_out;
};

/* What a giver is found by: kind * 2^32 + serial. */
enum giver_kind { GIVER_OBJECT = 1, GIVER_CREATION, GIVER_END, GIVER_FORK, GIVER_EXIT };

static uint64_t mark_hash(uint32_t thread, uint64_t time) { return map_mix(time) ^ thread; }

static bool is_tracked(const struct scroll *scroll, const struct thread *thread) {
  return thread && map_get(&scroll->tracks_of, thread->serial) != MAP_NONE;
}

static void track(struct scroll *scroll, uint32_t serial) {
  if (map_get(&scroll->tracks_of, serial) != MAP_NONE)
    return;
  map_put(scroll->arena, &scroll->tracks_of, serial, (uint32_t)scroll->tracks.count);
  vector_push(scroll->arena, &scroll->tracks) = (struct track){.wants_after = false};
}

static void read_marks(struct scroll *scroll) {
  const struct describe *describe = scroll->describe;
  for (size_t i = 0; i < describe->marks.count; i++) {
    const struct step_mark *mark = &describe->marks.items[i];
    if (!scroll->number_of[i])
      continue;
    track(scroll, mark->thread);
    uint64_t hash = mark_hash(mark->thread, mark->time);
    if (map_get(&scroll->marks_of, hash) == MAP_NONE)
      map_put(scroll->arena, &scroll->marks_of, hash, (uint32_t)i);
  }
}

static const char *verb(const struct event *event) {
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_THREAD_CREATE_REQUESTED:
    return "starts";
  case SNARLI_R_THREAD_BEGIN:
    return "begins";
  case SNARLI_R_THREAD_END:
    return "ends";
  case SNARLI_R_FORK_REQUESTED:
    return "forks";
  case SNARLI_R_PROCESS_BEGIN:
    return "begins";
  case SNARLI_R_PROCESS_EXIT:
    return "exits";
  case SNARLI_R_WAIT_RETURNED:
    return "has waited for";
  case SNARLI_R_BARRIER_REQUESTED:
    return "waits at";
  case SNARLI_R_COND_WAIT_RETURNED:
    return "has waited at";
  default:
    break;
  }
  if (event->took || event->gave)
    return event->took ? "acquired" : "released";
  const char *dash = strchr(event->info->text, '-');
  return dash ? dash + 1 : event->info->text;
}

static const char *label_of(struct scroll *scroll, const struct event *event) {
  struct describe *describe = scroll->describe;
  const char *what = "";
  if (event->object)
    what = describe_object(describe, event->object);
  else if (event->child)
    what = arena_print(scroll->arena, "process %u", event->child->info->pid);
  else if (event->info->family == SNARLI_THREAD && event->other)
    what = describe_thread(describe, event->other);
  return arena_print(scroll->arena, "%s%s%s", verb(event), *what ? " " : "", what);
}

static struct deed deed_of(struct scroll *scroll, const struct event *event) {
  bool has_stack = event->info->aux == SNARLI_AUX_STACK;
  struct deed deed = {.number = scroll->model.records, .thread = event->thread->serial};
  deed.thread_label = describe_thread(scroll->describe, event->thread);
  deed.thread_detail = arena_print(scroll->arena, "thread %u", event->thread->tid);
  deed.label = label_of(scroll, event);
  deed.origin = (struct origin){event->process->index, has_stack ? event->record->aux : 0, event->record->time,
                                event->thread->serial};
  return deed;
}

static uint32_t draw(struct scroll *scroll, const struct deed *deed) {
  uint32_t place = map_get(&scroll->drawn_of, deed->number);
  if (place != MAP_NONE)
    return place;
  if (scroll->drawn.count >= NODES_MOST) {
    scroll->left_out++;
    return MAP_NONE;
  }
  place = (uint32_t)scroll->drawn.count;
  map_put(scroll->arena, &scroll->drawn_of, deed->number, place);
  vector_push(scroll->arena, &scroll->drawn) = (struct drawn){.deed = *deed};
  return place;
}

static void draw_arrow(struct scroll *scroll, const struct arrow *arrow) {
  if (map_get(&scroll->drawn_of, arrow->from.number) == MAP_NONE && scroll->drawn.count + 2 > NODES_MOST) {
    scroll->edges_left_out++;
    return;
  }
  uint32_t from = draw(scroll, &arrow->from), to = draw(scroll, &arrow->to);
  if (from == MAP_NONE || to == MAP_NONE)
    return;
  for (size_t i = scroll->edges.count; i-- && i + 8 > scroll->edges.count;)
    if (scroll->edges.items[i].from == from && scroll->edges.items[i].to == to)
      return;
  vector_push(scroll->arena, &scroll->edges) = (struct drawn_edge){from, to, arrow->label, arrow->must_be};
}

/* What this record gives others to come after. 0: nothing. */
static uint64_t giver(const struct event *event) {
  uint64_t object = event->object ? (uint64_t)GIVER_OBJECT << 32 | event->object->serial : 0;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_THREAD_CREATE_REQUESTED:
    return event->other ? (uint64_t)GIVER_CREATION << 32 | event->other->serial : 0;
  case SNARLI_R_THREAD_END:
    return (uint64_t)GIVER_END << 32 | event->thread->serial;
  case SNARLI_R_FORK_REQUESTED:
    return (uint64_t)GIVER_FORK << 32 | event->thread->serial;
  case SNARLI_R_PROCESS_EXIT:
    return (uint64_t)GIVER_EXIT << 32 | event->process->first->index;
  case SNARLI_R_SEM_POSTED:
  case SNARLI_R_COND_SIGNALLED:
  case SNARLI_R_COND_BROADCAST:
  case SNARLI_R_ONCE_ENDED:
    return object;
  case SNARLI_R_BARRIER_REQUESTED:
    return event->is_complete ? object : 0;
  default:
    return event->gave ? object : 0;
  }
}

/* What this record comes after, and why. 0: nothing. */
static uint64_t taker(const struct scroll *scroll, const struct event *event, struct arrow *arrow) {
  uint64_t object = event->object ? (uint64_t)GIVER_OBJECT << 32 | event->object->serial : 0;
  arrow->must_be = true;
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_THREAD_BEGIN:
    arrow->label = "start";
    return (uint64_t)GIVER_CREATION << 32 | event->thread->serial;
  case SNARLI_R_THREAD_JOINED:
    arrow->label = "join";
    return event->other ? (uint64_t)GIVER_END << 32 | event->other->serial : 0;
  case SNARLI_R_PROCESS_BEGIN:
    arrow->label = "fork";
    return event->other ? (uint64_t)GIVER_FORK << 32 | event->other->serial : 0;
  case SNARLI_R_WAIT_RETURNED:
    arrow->label = "wait for a child";
    return event->child ? (uint64_t)GIVER_EXIT << 32 | event->child->first->index : 0;
  case SNARLI_R_BARRIER_PASSED:
    arrow->label = "barrier";
    return object;
  case SNARLI_R_ONCE_PASSED:
    arrow->label = "once";
    return object;
  case SNARLI_R_COND_WAIT_RETURNED:
    arrow->label = "signal";
    arrow->must_be = false;
    return event->is_woken ? object : 0;
  case SNARLI_R_SEM_ACQUIRED:
    arrow->label = event->took ? "lock passed on" : "post";
    arrow->must_be = !event->took && event->object && map_get(scroll->mixed_sems, event->object->serial) == MAP_NONE;
    return object;
  default:
    arrow->label = "lock passed on";
    arrow->must_be = false;
    return event->took ? object : 0;
  }
}

static struct track *track_of(struct scroll *scroll, uint32_t serial) {
  uint32_t place = map_get(&scroll->tracks_of, serial);
  return place == MAP_NONE ? NULL : &scroll->tracks.items[place];
}

/* Births and deaths are drawn always, other arrows as neighbours of a step. */
static void note_arrow(struct scroll *scroll, const struct arrow *arrow, bool is_life) {
  struct track *from = track_of(scroll, arrow->from.thread), *to = track_of(scroll, arrow->to.thread);
  if (scroll->show_all || is_life) {
    draw_arrow(scroll, arrow);
    return;
  }
  if (from && from->wants_after) {
    from->wants_after = false;
    draw_arrow(scroll, arrow);
  }
  if (to)
    to->before = *arrow;
}

static void note_taker(struct scroll *scroll, const struct event *event, struct deed *deed) {
  struct arrow arrow = {0};
  uint64_t key = taker(scroll, event, &arrow);
  uint32_t place = key ? map_get(&scroll->givers_of, key) : MAP_NONE;
  if (place == MAP_NONE)
    return;
  arrow.from = scroll->givers.items[place];
  if (arrow.from.thread == event->thread->serial)
    return;
  if (!deed->number)
    *deed = deed_of(scroll, event);
  arrow.to = *deed;
  note_arrow(scroll, &arrow, event->info->family == SNARLI_THREAD || event->info->family == SNARLI_PROCESS);
}

static void note_giver(struct scroll *scroll, const struct event *event, struct deed *deed) {
  uint64_t key = giver(event);
  if (!key)
    return;
  uint32_t place = map_get(&scroll->givers_of, key);
  if (place == MAP_NONE) {
    place = (uint32_t)scroll->givers.count;
    (void)vector_push(scroll->arena, &scroll->givers);
    map_put(scroll->arena, &scroll->givers_of, key, place);
  }
  if (!deed->number)
    *deed = deed_of(scroll, event);
  scroll->givers.items[place] = *deed;
}

/* What a thread did not get, or not yet, the finding has better words for. */
static void mark_drawn(struct scroll *scroll, struct drawn *drawn, const struct event *event, uint32_t mark) {
  drawn->cycle = scroll->number_of[mark];
  if (event->info->phase == SNARLI_REQUEST || event->info->phase == SNARLI_FAIL)
    drawn->deed.label = scroll->describe->marks.items[mark].words;
}

static void note_step(struct scroll *scroll, const struct event *event, struct deed *deed) {
  uint64_t hash = mark_hash(event->thread->serial, event->record->time);
  uint32_t mark = map_get(&scroll->marks_of, hash);
  if (mark == MAP_NONE)
    return;
  map_remove(&scroll->marks_of, hash);
  if (!deed->number)
    *deed = deed_of(scroll, event);
  struct track *track = track_of(scroll, event->thread->serial);
  if (track && track->before.from.number)
    draw_arrow(scroll, &track->before);
  uint32_t place = draw(scroll, deed);
  if (place != MAP_NONE)
    mark_drawn(scroll, &scroll->drawn.items[place], event, mark);
  if (track)
    track->wants_after = true;
}

static void step(struct scroll *scroll, const struct event *event) {
  bool is_wanted = scroll->show_all || is_tracked(scroll, event->thread) || is_tracked(scroll, event->other);
  struct deed deed = {0};
  if (!is_wanted || event->info->family == SNARLI_META)
    return;
  note_taker(scroll, event, &deed);
  note_step(scroll, event, &deed);
  note_giver(scroll, event, &deed);
}

static int by_number(const void *left, const void *right) {
  const struct drawn *a = left, *b = right;
  return (a->deed.number > b->deed.number) - (a->deed.number < b->deed.number);
}

/* The picture's nodes: a head for each column, then what was done, in the order of time. */
struct columns {
  VECTOR(struct picture_node) nodes;
  VECTOR(struct picture_edge) edges;
  VECTOR(uint32_t) lanes;     /* of each node */
  struct map lane_of, newest; /* serial -> column; column -> its lowest node */
};

static void add_heads(struct scroll *scroll, struct columns *columns) {
  for (size_t i = 0; i < scroll->drawn.count; i++) {
    const struct deed *deed = &scroll->drawn.items[i].deed;
    if (map_get(&columns->lane_of, deed->thread) != MAP_NONE)
      continue;
    uint32_t lane = (uint32_t)columns->nodes.count;
    map_put(scroll->arena, &columns->lane_of, deed->thread, lane);
    map_put(scroll->arena, &columns->newest, lane, lane);
    vector_push(scroll->arena, &columns->lanes) = lane;
    vector_push(scroll->arena, &columns->nodes) = (struct picture_node){
        .shape = SHAPE_THREAD, .label = deed->thread_label, .detail = deed->thread_detail, .folded = 1};
  }
}

static void add_edge(struct scroll *scroll, struct columns *columns, uint32_t from, uint32_t to,
                     enum picture_relation relation, const char *label) {
  vector_push(scroll->arena, &columns->edges) =
      (struct picture_edge){.from = from, .to = to, .relation = relation, .label = label, .detail = label, .count = 1};
}

static void add_nodes(struct scroll *scroll, struct columns *columns) {
  for (size_t i = 0; i < scroll->drawn.count; i++) {
    const struct drawn *drawn = &scroll->drawn.items[i];
    uint32_t lane = map_get(&columns->lane_of, drawn->deed.thread), node = (uint32_t)columns->nodes.count;
    vector_push(scroll->arena, &columns->nodes) =
        (struct picture_node){.shape = SHAPE_DEED,
                              .emphasis = drawn->cycle ? EMPHASIS_CYCLE : EMPHASIS_NONE,
                              .cycle = drawn->cycle,
                              .label = drawn->deed.label,
                              .detail = describe_place(scroll->describe, drawn->deed.origin),
                              .folded = 1};
    vector_push(scroll->arena, &columns->lanes) = lane;
    add_edge(scroll, columns, map_get(&columns->newest, lane), node, RELATION_NEXT, "");
    map_put(scroll->arena, &columns->newest, lane, node);
  }
}

static struct picture finish(struct scroll *scroll) {
  struct columns columns = {0};
  struct picture picture = {.kind = PICTURE_HAPPENS_BEFORE, .title = "What happened before what"};
  uint64_t *numbers = arena_alloc(scroll->arena, (scroll->drawn.count + 1) * sizeof *numbers);
  for (size_t i = 0; i < scroll->drawn.count; i++)
    numbers[i] = scroll->drawn.items[i].deed.number;
  if (scroll->drawn.count)
    qsort(scroll->drawn.items, scroll->drawn.count, sizeof *scroll->drawn.items, by_number);
  add_heads(scroll, &columns);
  uint32_t first = (uint32_t)columns.nodes.count;
  add_nodes(scroll, &columns);
  for (size_t i = 0; i < scroll->drawn.count; i++)
    map_put(scroll->arena, &scroll->drawn_of, scroll->drawn.items[i].deed.number, first + (uint32_t)i);
  for (size_t i = 0; i < scroll->edges.count; i++) {
    const struct drawn_edge *edge = &scroll->edges.items[i];
    add_edge(scroll, &columns, map_get(&scroll->drawn_of, numbers[edge->from]),
             map_get(&scroll->drawn_of, numbers[edge->to]), edge->must_be ? RELATION_HB : RELATION_HB_HERE,
             edge->label);
  }
  picture.nodes = columns.nodes.items;
  picture.node_count = columns.nodes.count;
  picture.edges = columns.edges.items;
  picture.edge_count = columns.edges.count;
  picture.lanes = columns.lanes.items;
  picture.hidden_nodes = scroll->left_out;
  picture.hidden_edges = scroll->edges_left_out;
  return picture;
}

struct picture order_picture(struct describe *describe, const struct map *mixed_sems, const int32_t *number_of,
                             bool show_all) {
  struct trace *trace = describe->model->trace;
  struct scroll *scroll = arena_alloc(describe->arena, sizeof *scroll);
  struct trace_record record;
  struct event event;
  *scroll = (struct scroll){.arena = describe->arena,
                            .describe = describe,
                            .mixed_sems = mixed_sems,
                            .number_of = number_of,
                            .show_all = show_all};
  read_marks(scroll);
  model_init(&scroll->model, scroll->arena, trace);
  trace_rewind(trace);
  while ((show_all || scroll->tracks.count) && trace_next(trace, &record)) {
    model_step(&scroll->model, &record, &event);
    step(scroll, &event);
  }
  return finish(scroll);
}
