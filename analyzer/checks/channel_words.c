/* SPDX-License-Identifier: MIT
 *
 * Why a wait for a channel cannot end, in words. One thread per analysis.
 */
#include "../model/channel.h"
#include "deadlock.h"
#include <inttypes.h>

#define NAMED 3u /* processes and channels that are listed by name */

static const struct watched *polled_at(const struct thread *thread, size_t *i, size_t *j) {
  for (; *i < thread->polled.count; (*i)++, *j = 0) {
    const struct watched *watched = &thread->polled.items[*i];
    if (!watched->endpoint || watched->endpoint->kind != SNARLI_C_EPOLL)
      return (*i)++, watched;
    if (*j < watched->endpoint->watched.count)
      return &watched->endpoint->watched.items[(*j)++];
  }
  return NULL;
}

static struct channel *channel_of(const struct watched *watched) {
  if (!watched->endpoint)
    return NULL;
  return watched->ends & SNARLI_E_SEND && !(watched->ends & SNARLI_E_RECEIVE) ? watched->endpoint->out
                                                                              : watched->endpoint->in;
}

struct draft_object channel_awaited(const struct wait_graph *graph, const struct thread *thread) {
  size_t i = 0, j = 0;
  for (const struct watched *watched; (watched = polled_at(thread, &i, &j));) {
    const struct channel *channel = channel_of(watched);
    if (channel)
      return (struct draft_object){.object = channel->object};
    if (watched->endpoint && watched->endpoint->pid)
      return (struct draft_object){.process = process_of_pid(graph->model, watched->endpoint->pid)};
  }
  return (struct draft_object){0};
}

const char *channel_awaited_label(const struct wait_graph *graph, struct describe *describe,
                                  const struct thread *thread) {
  const char *text = NULL;
  size_t i = 0, j = 0, count = 0;
  for (const struct watched *watched; (watched = polled_at(thread, &i, &j));) {
    const struct channel *channel = channel_of(watched);
    const struct process *process =
        watched->endpoint && watched->endpoint->pid ? process_of_pid(graph->model, watched->endpoint->pid) : NULL;
    const char *name = channel   ? describe_object(describe, channel->object)
                       : process ? describe_process(describe, process)
                                 : NULL;
    if (!name || count++ >= NAMED)
      continue;
    text = text ? arena_print(describe->arena, "%s or %s", text, name) : name;
  }
  if (count > NAMED)
    text = arena_print(describe->arena, "%s or %zu others", text, count - NAMED);
  return text ? text : "any of several channels";
}

/* Those who could end the wait; *is_own: only the waiter's own process. */
static const char *enders(const struct wait_graph *graph, struct describe *describe, const struct thread *waiter,
                          bool *is_own) {
  const char *names[NAMED + 1];
  size_t count = 0;
  *is_own = true;
  for (uint32_t i = 0; i < graph->model->process_count; i++) {
    const struct process *process = &graph->model->processes[i];
    if (wait_is_over(process) || !wait_is_ended_by(waiter, process))
      continue;
    *is_own &= process == waiter->process;
    if (count++ < NAMED)
      names[count - 1] = describe_process(describe, process);
  }
  if (count > NAMED)
    names[NAMED] = arena_print(describe->arena, "%zu other processes", count - NAMED);
  return draft_join(describe, names, count > NAMED ? NAMED + 1 : count);
}

static const char *fill_of(struct describe *describe, const struct channel *channel) {
  uint64_t held = channel->sent - channel->received - channel->asked;
  if (channel->kind == SNARLI_C_PIPE) /* of the write that waits, a part is in it */
    held = channel->capacity;
  bool has_count = channel->kind == SNARLI_C_QUEUE || channel->kind == SNARLI_C_MESSAGES;
  const char *unit = has_count ? held == 1 ? "message" : "messages" : held == 1 ? "byte" : "bytes";
  return arena_print(describe->arena, "%" PRIu64 " %s", held - (channel->kind == SNARLI_C_SYSV ? channel->messages : 0),
                     unit);
}

const char *channel_because(const struct wait_graph *graph, struct describe *describe, const struct thread *waiter) {
  bool is_own;
  const char *who = enders(graph, describe, waiter, &is_own);
  const struct wait *wait = &waiter->wait;
  if (wait->kind == WAIT_POLL)
    return arena_print(describe->arena, "where nothing is ready, and whoever could change that (%s) cannot go on", who);
  const struct channel *channel = wait->object->channel;
  bool is_send = wait->kind == WAIT_SEND;
  const char *state =
      is_send ? arena_print(describe->arena, "which is full (%s in it)", fill_of(describe, channel)) : "which is empty";
  if (is_own && is_send)
    return arena_print(describe->arena, "%s and which only its own process could receive from", state);
  if (is_own)
    return arena_print(describe->arena,
                       "%s and whose sending end only its own process still has open: nobody sends, and the end of "
                       "the stream never comes",
                       state);
  return arena_print(describe->arena, "%s, and whoever could %s it (%s) cannot go on", state,
                     is_send ? "receive from" : "send to", who);
}
