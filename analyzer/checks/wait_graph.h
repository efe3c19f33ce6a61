/* SPDX-License-Identifier: MIT
 *
 * Who waits for whom at the end of a trace: an AND/OR graph of threads and processes, and who is stuck in it for
 * good. A lock, a join and a once wait for particular threads (AND); a semaphore, a condition and a barrier for any
 * thread that can reach them (OR); a lock on a file for any thread of the processes that own it; a process goes on
 * while any of its threads does (OR). A thread that is not in a recorded wait runs, and a wait that may have been
 * answered already, or ends by itself, is none. So a state cut off at any moment shows nobody as stuck who is not. One
 * thread per value.
 */
#ifndef SNARL_CHECKS_WAIT_GRAPH_H
#define SNARL_CHECKS_WAIT_GRAPH_H

#include "../algo/graph.h"
#include "../model/model.h"

enum wait_cause {
  CAUSE_RUNS,
  CAUSE_OWNER,   /* waits for who holds it */
  CAUSE_SELF,    /* holds it itself */
  CAUSE_GONE,    /* its holder ended, or never came along at a fork */
  CAUSE_WRITER,  /* a reader behind a waiting writer */
  CAUSE_TARGET,  /* a thread or process to end */
  CAUSE_ANYBODY, /* a post, signal or arrival by anyone */
  CAUSE_TURN,    /* a fiber: for the thread that runs another in its place */
};

struct wait_node {       /* of a thread; the places are those of model->threads */
  struct thread *thread; /* NULL: no thread here */
  enum wait_cause cause;
  bool is_stuck;
  bool has_edges;                /* what it waits for has edges already: `needs` is for words only */
  bool is_any_of;                /* of those edges any one is enough */
  int32_t core;                  /* the stuck set that it belongs to; -1: none */
  VECTOR(struct thread *) needs; /* AND: all of them; with CAUSE_GONE: who is gone */
  VECTOR(uint32_t) behind;       /* cores that it waits behind */
};

struct wait_core { /* threads that keep each other waiting and wait for nobody else */
  VECTOR(struct thread *) threads;
  VECTOR(struct thread *) behind; /* who waits for them in turn */
};

struct wait_graph {
  struct arena *arena;
  struct model *model;
  struct wait_node *nodes;
  uint32_t thread_count;
  uint8_t *kinds;
  VECTOR(struct graph_edge) edges;
  VECTOR(struct wait_core) cores;
};

void wait_graph_build(struct wait_graph *graph, struct arena *arena, struct model *model);

/* For those who find out who could end a wait. */
void wait_edge(struct wait_graph *graph, const struct thread *from, const struct process *to);
void wait_edge_to_thread(struct wait_graph *graph, const struct thread *from, const struct thread *to);
void wait_edge_to_anyone(struct wait_graph *graph, const struct thread *from);
/* The process is over: its header says so, its end was seen, or its parent killed or reaped it. */
bool wait_is_over(const struct process *process);

/* wait_needs.c: who could end the wait of this node's thread: `cause`, `needs` and edges. Nothing: it runs. */
void wait_needs_find(struct wait_graph *graph, struct wait_node *node);
/* wait_channels.c: the same for a channel, or for any of several. */
void wait_for_channels(struct wait_graph *graph, struct wait_node *node);
/* Could a thread of `process` end it? */
bool wait_is_ended_by(const struct thread *waiter, const struct process *process);

#endif
