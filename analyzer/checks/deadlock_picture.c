/* SPDX-License-Identifier: MIT
 *
 * The wait-for picture: threads and what they wait for, by default only those who are stuck. One thread per analysis.
 */
#include "deadlock.h"

struct painting {
  const struct wait_graph *graph;
  struct describe *describe;
  const int32_t *cycle_of_core;
  VECTOR(struct picture_node) nodes;
  VECTOR(struct picture_edge) edges;
  struct map threads, objects, processes, futexes; /* serial, index or address -> node */
};

static uint32_t add(struct painting *painting, struct map *map, uint32_t key, enum picture_shape shape,
                    const char *label, const char *detail, int32_t cycle) {
  uint32_t node = map_get(map, key);
  if (node == MAP_NONE) {
    node = (uint32_t)painting->nodes.count;
    map_put(painting->describe->arena, map, key, node);
    vector_push(painting->describe->arena, &painting->nodes) =
        (struct picture_node){.shape = shape, .label = label, .detail = detail, .folded = 1};
  }
  struct picture_node *made = &painting->nodes.items[node];
  if (cycle && made && !made->cycle) {
    made->cycle = cycle;
    made->emphasis = EMPHASIS_CYCLE;
  }
  return node;
}

static int32_t cycle_of(const struct painting *painting, const struct thread *thread) {
  int32_t core = painting->graph->nodes[thread->place].core;
  return core < 0 ? 0 : painting->cycle_of_core[core];
}

static uint32_t thread_node(struct painting *painting, struct thread *thread) {
  return add(painting, &painting->threads, thread->serial, SHAPE_THREAD, describe_thread(painting->describe, thread),
             painting->describe->names_processes
                 ? arena_print(painting->describe->arena, "thread %u of %s", thread->tid,
                               describe_process(painting->describe, thread->process))
                 : arena_print(painting->describe->arena, "thread %u", thread->tid),
             cycle_of(painting, thread));
}

static uint32_t object_node(struct painting *painting, struct object *object, int32_t cycle) {
  bool is_lock_shaped = object->family == SNARLI_MUTEX || object->family == SNARLI_RWLOCK ||
                        object->family == SNARLI_SPIN || object->family == SNARLI_LOCK ||
                        object->family == SNARLI_FILE || object->role == SEM_LOCK;
  return add(painting, &painting->objects, object->serial, is_lock_shaped ? SHAPE_LOCK : SHAPE_WAITABLE,
             describe_object(painting->describe, object), object_kind(object), cycle);
}

static void join_nodes(struct painting *painting, uint32_t from, uint32_t to, enum picture_relation relation,
                       struct origin origin, int32_t cycle) {
  for (size_t i = 0; i < painting->edges.count; i++) {
    struct picture_edge *edge = &painting->edges.items[i];
    if (edge->from != from || edge->to != to || edge->relation != relation)
      continue;
    edge->count++;
    return;
  }
  const char *place = describe_place(painting->describe, origin);
  vector_push(painting->describe->arena, &painting->edges) =
      (struct picture_edge){.from = from,
                            .to = to,
                            .relation = relation,
                            .emphasis = cycle ? EMPHASIS_CYCLE : EMPHASIS_NONE,
                            .cycle = cycle,
                            .label = place,
                            .detail = place,
                            .count = 1};
}

/* Of a lock on a file whoever holds any of its bytes. */
static void paint_owners(struct painting *painting, const struct wait_node *waiter, uint32_t node, int32_t cycle) {
  const struct file_hold *hold;
  for (size_t at = 0; (hold = file_conflict(&waiter->thread->wait, &at));) {
    const struct hold *held = thread_hold(hold->thread, hold->object);
    join_nodes(painting, node, thread_node(painting, hold->thread), RELATION_HELD_BY,
               held ? held->taken : (struct origin){0}, cycle == cycle_of(painting, hold->thread) ? cycle : 0);
  }
}

static void paint_holders(struct painting *painting, struct object *object, uint32_t node, int32_t cycle) {
  for (size_t i = 0; i < object->holders.count; i++) {
    struct thread *holder = object->holders.items[i];
    join_nodes(painting, node, thread_node(painting, holder), RELATION_HELD_BY, thread_hold(holder, object)->taken,
               cycle == cycle_of(painting, holder) ? cycle : 0);
  }
}

static bool could_end(const struct thread *waiter, const struct thread *other) {
  if (is_channel_wait(&waiter->wait))
    return wait_is_ended_by(waiter, other->process);
  return other->wait.object != waiter->wait.object;
}

/* Who of the same stuck set could have ended the wait; of a task or a once who runs it. */
static void paint_enders(struct painting *painting, const struct wait_node *waiter, uint32_t node, int32_t cycle) {
  const struct object *object = waiter->thread->wait.object;
  struct thread *runner = waiter->cause == CAUSE_OWNER && object ? object->runner : NULL;
  if (runner)
    join_nodes(painting, node, thread_node(painting, runner), RELATION_ENDED_BY, (struct origin){0},
               cycle == cycle_of(painting, runner) ? cycle : 0);
  if (waiter->cause != CAUSE_ANYBODY || waiter->core < 0)
    return;
  const struct wait_core *core = &painting->graph->cores.items[waiter->core];
  for (size_t i = 0; i < core->threads.count; i++)
    if (core->threads.items[i] != waiter->thread && could_end(waiter->thread, core->threads.items[i]))
      join_nodes(painting, node, thread_node(painting, core->threads.items[i]), RELATION_ENDED_BY, (struct origin){0},
                 cycle);
}

/* Of a futex only the address is known; a number made of it tells it from others. */
static void paint_futex(struct painting *painting, struct thread *thread) {
  uint32_t key = (uint32_t)map_mix(thread->wait.futex ^ (uint64_t)thread->process->index << 48);
  uint32_t to = add(painting, &painting->futexes, key == MAP_NONE ? 0 : key, SHAPE_WAITABLE,
                    arena_print(painting->describe->arena, "futex 0x%llx", (unsigned long long)thread->wait.futex),
                    "not an object of the C library: anybody may end the wait", 0);
  join_nodes(painting, thread_node(painting, thread), to, RELATION_WAITS, thread->wait.asked, 0);
}

static void paint_wait(struct painting *painting, const struct wait_node *node) {
  if (node->thread->wait.kind == WAIT_FUTEX) {
    paint_futex(painting, node->thread);
    return;
  }
  struct draft_object awaited = deadlock_awaited(painting->graph, node);
  uint32_t from = thread_node(painting, node->thread), to;
  int32_t cycle = cycle_of(painting, node->thread);
  if (awaited.object) {
    to = object_node(painting, awaited.object, cycle);
    if (awaited.object->file)
      paint_owners(painting, node, to, cycle);
    else
      paint_holders(painting, awaited.object, to, cycle);
    paint_enders(painting, node, to, cycle);
  } else if (awaited.thread) {
    to = thread_node(painting, awaited.thread);
  } else if (node->thread->wait.kind == WAIT_SIGNAL) {
    to = add(painting, &painting->processes, UINT32_MAX - 1, SHAPE_WAITABLE, "a signal", "", cycle);
  } else {
    const struct process *process = awaited.process;
    to = add(painting, &painting->processes, process ? process->index : UINT32_MAX, SHAPE_PROCESS,
             process ? describe_process(painting->describe, process) : "any child process", "", cycle);
  }
  join_nodes(painting, from, to, RELATION_WAITS, node->thread->wait.asked, cycle);
}

/* What a thread waits for that is not stuck may have gone already. */
static bool is_known(const struct wait *wait) {
  if (wait->kind == WAIT_JOIN)
    return wait->target && wait->target->serial == wait->target_serial;
  if (wait->kind == WAIT_TURN)
    return false;
  if (wait->kind == WAIT_NONE || wait->kind == WAIT_CHILD || wait->kind == WAIT_FUTEX || wait->kind == WAIT_SIGNAL)
    return wait->kind != WAIT_NONE;
  if (wait->kind == WAIT_POLL && !wait->object)
    return false;
  return wait->object && wait->object->serial == wait->object_serial && !wait->object->is_gone;
}

struct picture deadlock_picture(const struct wait_graph *graph, struct describe *describe, const int32_t *cycle_of_core,
                                bool show_all) {
  struct painting painting = {.graph = graph, .describe = describe, .cycle_of_core = cycle_of_core};
  struct picture picture = {.kind = PICTURE_WAIT_FOR, .title = "Who waits for whom at the end of the trace"};
  for (uint32_t i = 0; i < graph->thread_count; i++) {
    const struct wait_node *node = &graph->nodes[i];
    if (!node->thread)
      continue;
    bool waits = node->thread->wait.kind != WAIT_NONE;
    if (!node->is_stuck && !show_all) {
      picture.hidden_nodes++;
      picture.hidden_edges += waits;
    } else if (node->is_stuck || is_known(&node->thread->wait)) {
      paint_wait(&painting, node);
    } else {
      thread_node(&painting, node->thread);
    }
  }
  picture.nodes = painting.nodes.items;
  picture.node_count = painting.nodes.count;
  picture.edges = painting.edges.items;
  picture.edge_count = painting.edges.count;
  return picture;
}
