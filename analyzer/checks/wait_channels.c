/* SPDX-License-Identifier: MIT
 *
 * Who could end a wait for a channel. A receive from an empty one ends when anybody who holds the sending end sends or
 * closes it, a send to a full one when anybody who holds the receiving end does. What nobody holds any more ends the
 * wait at once. Whatever is not known for sure means that somebody could: an end that was passed on or came from
 * outside, a name that others can open, a process whose descriptors are not known, a signal handler that may write to
 * itself. One thread per graph.
 */
#include "../model/channel.h"
#include "wait_graph.h"

/* Small messages take up more room in a socket than their size. */
#define OVERHEAD 768u
#define CONNECTION_ROOM (128u << 10) /* what a connection takes at least, where the capacity is not known */
#define FEW_MESSAGES 4u

/* What it executed is not recorded, and has its descriptors. */
static bool has_vanished(const struct model *model, const struct process *process) {
  if (!process->has_execed || process->is_reaped)
    return false;
  for (uint32_t i = 0; i < model->process_count; i++)
    if (model->processes[i].info->execed && model->processes[i].parent == process)
      return false;
  return true;
}

/* Every process that may be running has told what it holds, and none is unknown. */
static bool are_all_known(const struct model *model) {
  for (uint32_t i = 0; i < model->process_count; i++) {
    const struct process *process = &model->processes[i];
    if (has_vanished(model, process))
      return false;
    if (wait_is_over(process))
      continue;
    if (!process->has_begun || process->has_lost_children || process->info->dropped || !process->descriptors ||
        !process->descriptors->are_known)
      return false;
  }
  return true;
}

/* Others than those who are known to hold it may hold it. */
static bool is_open_to_others(const struct wait_graph *graph, const struct channel *channel) {
  if (!channel->is_made)
    return true;
  if (channel->is_passed || channel->is_removed || channel->kind == SNARLI_C_FIFO)
    return true;
  for (uint32_t i = 0; channel->kind == SNARLI_C_EVENT && i < graph->model->process_count; i++) {
    const struct process *process = &graph->model->processes[i];
    if (!wait_is_over(process) && process->descriptors && process->descriptors->has_events)
      return true;
  }
  return false;
}

/* No more than what was recorded can be in it, and that leaves no room for what this thread sends. Of a queue with a
 * name the count must be exact: else somebody else has received from it. */
static bool is_full(const struct channel *channel, uint64_t asked) {
  uint64_t held = channel->sent - channel->received, settled = held - channel->asked;
  switch (channel->kind) {
  case SNARLI_C_PIPE:
    return held >= channel->capacity / 2;
  case SNARLI_C_STREAM:
    return channel->capacity ? held + OVERHEAD * channel->messages >= channel->capacity / 2 : held >= CONNECTION_ROOM;
  case SNARLI_C_MESSAGES:
    return held > FEW_MESSAGES;
  case SNARLI_C_QUEUE:
    return settled == channel->capacity;
  case SNARLI_C_SYSV: {
    uint64_t bytes = settled - channel->messages;
    return settled >= channel->messages && bytes <= channel->capacity && bytes + asked - 1 > channel->capacity;
  }
  default:
    return false;
  }
}

/* An eventfd that nobody ever raised may be the kernel's to raise. A queue with a name is what a server waits at for
 * anybody. */
static bool is_empty(const struct channel *channel) {
  bool is_queue = channel->kind == SNARLI_C_QUEUE || channel->kind == SNARLI_C_SYSV;
  bool is_kernels = channel->kind == SNARLI_C_EVENT && !channel->object->posts;
  return !is_kernels && !(is_queue && !channel->is_unlinked) && channel->sent == channel->received;
}

static bool is_socket(const struct channel *channel) {
  return channel->kind == SNARLI_C_STREAM || channel->kind == SNARLI_C_MESSAGES;
}

/* Of a socket, who holds the waiter's own end can shut it down. */
static bool holds_end(const struct process *process, const struct channel *channel, bool is_send) {
  if (!process->descriptors || wait_is_over(process))
    return false;
  for (size_t i = 0; i < process->descriptors->items.count; i++) {
    const struct descriptor *descriptor = &process->descriptors->items.items[i];
    const struct endpoint *endpoint = descriptor->endpoint;
    if (!endpoint)
      continue;
    bool sends = endpoint->out == channel && descriptor->ends & SNARLI_E_SEND;
    bool receives = endpoint->in == channel && descriptor->ends & SNARLI_E_RECEIVE;
    if (is_send ? receives || (sends && is_socket(channel)) : sends || (receives && is_socket(channel)))
      return true;
  }
  return false;
}

/* Anybody who holds the end that counts, for there to be a wait at all. */
static bool is_held(const struct model *model, const struct channel *channel, bool is_send) {
  for (uint32_t i = 0; i < model->process_count; i++) {
    const struct descriptors *all = model->processes[i].descriptors;
    for (size_t d = 0; all && !wait_is_over(&model->processes[i]) && d < all->items.count; d++) {
      const struct endpoint *endpoint = all->items.items[d].endpoint;
      unsigned ends = all->items.items[d].ends;
      if (endpoint && (is_send ? endpoint->in == channel && ends & SNARLI_E_RECEIVE
                               : endpoint->out == channel && ends & SNARLI_E_SEND))
        return true;
    }
  }
  return false;
}

static bool is_blocked(const struct wait_graph *graph, const struct channel *channel, bool is_send, uint64_t asked) {
  if (!channel || channel->object->is_doubted || is_open_to_others(graph, channel))
    return false;
  if (is_send ? channel->is_receiver_shut || !is_full(channel, asked) : channel->is_sender_shut || !is_empty(channel))
    return false;
  return is_held(graph->model, channel, is_send);
}

/* False: it is not certain that it waits, or somebody may end it. */
static bool add_channel(struct wait_graph *graph, const struct thread *waiter, const struct channel *channel,
                        bool is_send) {
  const struct model *model = graph->model;
  if (!is_blocked(graph, channel, is_send, waiter->wait.kind == WAIT_SEND ? waiter->wait.amount : 1))
    return false;
  if (channel->kind == SNARLI_C_SYSV) {
    wait_edge_to_anyone(graph, waiter);
    return true;
  }
  for (uint32_t i = 0; i < model->process_count; i++) {
    const struct process *process = &model->processes[i];
    if (!holds_end(process, channel, is_send))
      continue;
    if (process->has_handlers)
      return false;
    wait_edge(graph, waiter, process);
  }
  return true;
}

static bool add_process(struct wait_graph *graph, const struct thread *waiter, uint32_t pid) {
  const struct process *process = process_of_pid(graph->model, pid);
  if (!process || wait_is_over(process))
    return false;
  wait_edge(graph, waiter, process);
  return true;
}

static bool add_watched(struct wait_graph *graph, const struct thread *waiter, const struct watched *watched) {
  const struct endpoint *endpoint = watched->endpoint;
  if (!endpoint)
    return false;
  if (!endpoint->descriptors) /* closed: it left the set */
    return true;
  if (endpoint->kind == SNARLI_C_PIDFD)
    return add_process(graph, waiter, endpoint->pid);
  if (endpoint->kind == SNARLI_C_EPOLL)
    return false;
  bool receives = watched->ends & SNARLI_E_RECEIVE, sends = watched->ends & SNARLI_E_SEND;
  return (!receives || add_channel(graph, waiter, endpoint->in, false)) &&
         (!sends || add_channel(graph, waiter, endpoint->out, true)) &&
         (receives || sends || add_channel(graph, waiter, endpoint->in, false));
}

static bool add_polled(struct wait_graph *graph, const struct thread *waiter) {
  for (size_t i = 0; i < waiter->polled.count; i++) {
    const struct watched *watched = &waiter->polled.items[i];
    const struct endpoint *set = watched->endpoint;
    if (!set || set->kind != SNARLI_C_EPOLL) {
      if (!add_watched(graph, waiter, watched))
        return false;
      continue;
    }
    for (size_t j = 0; j < set->watched.count; j++)
      if (!add_watched(graph, waiter, &set->watched.items[j]))
        return false;
  }
  return true;
}

void wait_for_channels(struct wait_graph *graph, struct wait_node *node) {
  const struct thread *waiter = node->thread;
  size_t before = graph->edges.count;
  if (wait_is_over(waiter->process) || waiter->process->has_handlers || !are_all_known(graph->model))
    return;
  bool is_certain = waiter->wait.kind == WAIT_POLL
                        ? add_polled(graph, waiter)
                        : add_channel(graph, waiter, waiter->wait.object->channel, waiter->wait.kind == WAIT_SEND);
  if (is_certain && graph->edges.count > before)
    node->cause = CAUSE_ANYBODY;
  else
    graph->edges.count = before;
}

static bool watched_is_ended_by(const struct watched *watched, const struct process *process) {
  const struct endpoint *endpoint = watched->endpoint;
  if (!endpoint)
    return false;
  if (endpoint->kind == SNARLI_C_PIDFD)
    return endpoint->pid == process->info->pid;
  return (endpoint->in && watched->ends & SNARLI_E_RECEIVE && holds_end(process, endpoint->in, false)) ||
         (endpoint->out && watched->ends & SNARLI_E_SEND && holds_end(process, endpoint->out, true));
}

static bool poll_is_ended_by(const struct thread *waiter, const struct process *process) {
  for (size_t i = 0; i < waiter->polled.count; i++) {
    const struct endpoint *set = waiter->polled.items[i].endpoint;
    if (watched_is_ended_by(&waiter->polled.items[i], process))
      return true;
    for (size_t j = 0; set && j < set->watched.count; j++)
      if (watched_is_ended_by(&set->watched.items[j], process))
        return true;
  }
  return false;
}

bool wait_is_ended_by(const struct thread *waiter, const struct process *process) {
  const struct wait *wait = &waiter->wait;
  if (wait->kind == WAIT_POLL)
    return poll_is_ended_by(waiter, process);
  if (wait->kind != WAIT_SEND && wait->kind != WAIT_RECEIVE)
    return false;
  const struct channel *channel = wait->object->channel;
  return channel && (channel->kind == SNARLI_C_SYSV || holds_end(process, channel, wait->kind == WAIT_SEND));
}
