/* SPDX-License-Identifier: MIT
 *
 * Building the wait-for graph (see wait_graph.h). Nodes: the threads by their place, then one per process ("some thread
 * of it goes on"), then one for "some thread of any process". One thread per value.
 */
#include "wait_graph.h"
#include "../algo/reduction.h"
#include "wait_cores.h"

static uint32_t process_node(const struct wait_graph *graph, const struct process *process) {
  return graph->thread_count + process->index;
}

static uint32_t anyone_node(const struct wait_graph *graph) {
  return graph->thread_count + graph->model->process_count;
}

static void edge(struct wait_graph *graph, uint32_t from, uint32_t to) {
  vector_push(graph->arena, &graph->edges) = (struct graph_edge){from, to};
}

bool wait_is_over(const struct process *process) {
  return process->is_over || process->is_killed || process->info->ended;
}

void wait_edge(struct wait_graph *graph, const struct thread *from, const struct process *to) {
  edge(graph, from->place, process_node(graph, to));
}

void wait_edge_to_thread(struct wait_graph *graph, const struct thread *from, const struct thread *to) {
  edge(graph, from->place, to->place);
}

void wait_edge_to_anyone(struct wait_graph *graph, const struct thread *from) {
  edge(graph, from->place, anyone_node(graph));
}

static void finish_thread(struct wait_graph *graph, struct wait_node *node) {
  uint32_t place = node->thread->place;
  bool is_or = node->is_any_of || node->cause == CAUSE_ANYBODY || (node->cause == CAUSE_TARGET && !node->needs.count);
  graph->kinds[place] = node->cause == CAUSE_RUNS            ? REDUCTION_FREE
                        : is_or || node->cause == CAUSE_GONE ? REDUCTION_OR
                                                             : REDUCTION_AND;
  for (size_t i = 0; !node->has_edges && node->cause != CAUSE_GONE && i < node->needs.count; i++)
    edge(graph, place, node->needs.items[i]->place);
}

static void add_threads(struct wait_graph *graph) {
  for (uint32_t i = 0; i < graph->thread_count; i++) {
    struct thread *thread = graph->model->threads.items[i];
    struct wait_node *node = &graph->nodes[i];
    node->core = -1;
    graph->kinds[i] = REDUCTION_FREE;
    if (!thread || thread->is_ended)
      continue;
    node->thread = thread;
    wait_needs_find(graph, node);
    finish_thread(graph, node);
    if (!wait_is_over(thread->process))
      edge(graph, process_node(graph, thread->process), i);
  }
}

/* A process of which no thread was seen, and one with children that were not recorded, may do anything. */
static void add_processes(struct wait_graph *graph) {
  const struct model *model = graph->model;
  uint32_t anyone = anyone_node(graph);
  graph->kinds[anyone] = REDUCTION_OR;
  for (uint32_t i = 0; i < model->process_count; i++) {
    const struct process *process = &model->processes[i];
    bool is_unseen = !process->threads.count || process->info->dropped;
    graph->kinds[graph->thread_count + i] = is_unseen ? REDUCTION_FREE : REDUCTION_OR;
    if (wait_is_over(process))
      continue;
    edge(graph, anyone, graph->thread_count + i);
    if (process->has_lost_children)
      graph->kinds[anyone] = REDUCTION_FREE;
  }
}

void wait_graph_build(struct wait_graph *graph, struct arena *arena, struct model *model) {
  *graph = (struct wait_graph){.arena = arena, .model = model, .thread_count = (uint32_t)model->threads.count};
  size_t count = graph->thread_count + (size_t)model->process_count + 1;
  graph->nodes = arena_alloc(arena, (graph->thread_count + 1) * sizeof *graph->nodes);
  graph->kinds = arena_alloc(arena, count);
  add_threads(graph);
  add_processes(graph);
  struct graph all = graph_build(arena, (uint32_t)count, graph->edges.items, graph->edges.count);
  bool *goes_on = arena_alloc(arena, count);
  reduction_run(arena, &all, graph->kinds, goes_on);
  for (uint32_t i = 0; i < graph->thread_count; i++)
    graph->nodes[i].is_stuck = graph->nodes[i].thread && !goes_on[i];
  wait_cores_find(graph, &all, goes_on);
}
