/* SPDX-License-Identifier: MIT
 *
 * What is sent and received, and waits for it (see channel.h). One thread per model.
 */
#include "channel.h"
#include "parts.h"

#define MOST (1ull << 40) /* "that or more" of a request that is not settled */

static struct endpoint *endpoint_of(const struct event *event, uint64_t fd) {
  const struct descriptor *descriptor = descriptor_at(event->process, fd);
  return descriptor ? descriptor->endpoint : NULL;
}

static uint64_t asked_amount(uint64_t object) {
  uint64_t amount = snarli_transfer_amount(object);
  return amount < SNARLI_AMOUNT_MOST ? amount : MOST;
}

/* The channel of the transfer's direction, which becomes the event's object; NULL: not known. */
static struct channel *channel_of(struct event *event, bool is_send) {
  struct endpoint *endpoint = endpoint_of(event, snarli_transfer_descriptor(event->record->object));
  struct channel *channel = !endpoint ? NULL : is_send ? endpoint->out : endpoint->in;
  event->object = channel ? channel->object : NULL;
  return channel;
}

static void count_sender(struct channel *channel, const struct thread *thread) {
  struct object *object = channel->object;
  object->has_posters |= object->posts && object->poster != thread->serial;
  object->poster = thread->serial;
  object->posts++;
  channel->began = channel->sent;
}

static void send_requested(struct event *event) {
  struct channel *channel = channel_of(event, true);
  if (!channel)
    return;
  struct wait *wait = wait_begin(event, WAIT_SEND);
  wait->amount = asked_amount(event->record->object);
  count_sender(channel, event->thread);
  channel->sent += wait->amount;
  channel->asked += wait->amount;
}

void channel_wait_ends(struct thread *thread) {
  struct wait *wait = &thread->wait;
  struct channel *channel = wait->object->serial == wait->object_serial ? wait->object->channel : NULL;
  if (channel) {
    channel->sent -= wait->amount;
    channel->asked -= wait->amount;
  }
  wait->amount = 0;
}

/* Too much to be told: nothing is known about its positions any more. */
static bool is_too_much(struct model *model, struct channel *channel, uint64_t amount) {
  if (amount == SNARLI_AMOUNT_MOST)
    object_doubt(model, channel->object);
  return amount == SNARLI_AMOUNT_MOST;
}

static void sent(struct model *model, struct event *event) {
  bool was_counted = event->thread->wait.kind == WAIT_SEND;
  wait_end(event->thread);
  struct channel *channel = channel_of(event, true);
  uint64_t amount = snarli_transfer_amount(event->record->object);
  if (!channel || is_too_much(model, channel, amount))
    return;
  if (!was_counted)
    count_sender(channel, event->thread);
  channel->sent += amount;
  channel->messages++;
}

static void receive_requested(struct event *event) {
  if (channel_of(event, false))
    wait_begin(event, WAIT_RECEIVE);
}

static bool carries_messages(enum snarli_channel_kind kind) {
  return kind == SNARLI_C_QUEUE || kind == SNARLI_C_SYSV || kind == SNARLI_C_MESSAGES;
}

static void received(struct model *model, struct event *event) {
  wait_end(event->thread);
  struct channel *channel = channel_of(event, false);
  uint64_t amount = snarli_transfer_amount(event->record->object);
  if (!channel || !amount || is_too_much(model, channel, amount))
    return;
  struct object *object = channel->object;
  object->has_acquirers |= object->acquires && object->acquirer != event->thread->serial;
  object->acquirer = event->thread->serial;
  object->acquires++;
  channel->received += amount;
  channel->messages -= channel->messages && carries_messages(channel->kind);
  if (channel->received > channel->sent) /* somebody sends who is not recorded */
    object_doubt(model, object);
  else if (channel->received == channel->sent)
    channel->messages = 0;
}

/* Polls. */

static void polled_clear(struct model *model, struct thread *thread) {
  for (size_t i = 0; i < thread->polled.count; i++)
    endpoint_leave(model, thread->polled.items[i].endpoint);
  thread->polled.count = 0;
}

void channel_forget_thread(struct model *model, struct thread *thread) {
  polled_clear(model, thread);
  vector_free(model->arena, &thread->polled);
}

static struct watched watched_of(struct event *event, uint64_t fd) {
  struct watched watched = {.endpoint = endpoint_of(event, fd), .ends = event->record->arg};
  watched.process = event->process->index;
  watched.fd = (uint32_t)fd;
  if (watched.ends & SNARLI_E_OUTSIDE)
    watched.endpoint = NULL;
  if (watched.endpoint)
    watched.endpoint->refs++;
  return watched;
}

static void polled(struct model *model, struct event *event) {
  if (event->thread->polled_is_old)
    polled_clear(model, event->thread);
  event->thread->polled_is_old = false;
  vector_push(model->arena, &event->thread->polled) = watched_of(event, event->record->object);
}

static void poll_requested(struct model *model, struct event *event) {
  struct thread *thread = event->thread;
  thread->polled_is_old = true;
  if (thread->polled.count != event->record->object || !thread->polled.count) {
    polled_clear(model, thread);
    return;
  }
  struct endpoint *first = thread->polled.items[0].endpoint;
  struct channel *channel = !first ? NULL : thread->polled.items[0].ends & SNARLI_E_RECEIVE ? first->in : first->out;
  event->object = channel ? channel->object : NULL;
  wait_begin(event, WAIT_POLL);
}

static void watched_changed(struct model *model, struct event *event) {
  struct endpoint *set = endpoint_of(event, snarli_transfer_amount(event->record->object));
  uint32_t fd = snarli_transfer_descriptor(event->record->object);
  if (!set || set->kind != SNARLI_C_EPOLL || endpoint_of(event, fd) == set)
    return;
  size_t at = 0;
  while (at < set->watched.count &&
         (set->watched.items[at].fd != fd || set->watched.items[at].process != event->process->index))
    at++;
  struct endpoint *old = at < set->watched.count ? set->watched.items[at].endpoint : NULL;
  if (event->record->arg && at == set->watched.count)
    (void)vector_push(model->arena, &set->watched);
  if (event->record->arg)
    set->watched.items[at] = watched_of(event, fd);
  else if (at < set->watched.count)
    set->watched.items[at] = set->watched.items[--set->watched.count];
  endpoint_leave(model, old);
}

/* Ends. */

static void shut(struct event *event) {
  struct endpoint *endpoint = endpoint_of(event, event->record->object);
  if (endpoint && endpoint->in && event->record->arg & SNARLI_E_RECEIVE)
    endpoint->in->is_receiver_shut = true;
  if (endpoint && endpoint->out && event->record->arg & SNARLI_E_SEND)
    endpoint->out->is_sender_shut = true;
  event->object = endpoint && endpoint->out ? endpoint->out->object : NULL;
}

static void pass(const struct endpoint *endpoint) {
  if (endpoint && endpoint->in)
    endpoint->in->is_passed = true;
  if (endpoint && endpoint->out)
    endpoint->out->is_passed = true;
}

/* While another thread forks, a child may or may not have it. */
static void closed(struct model *model, struct event *event) {
  const struct descriptor *descriptor = descriptor_at(event->process, event->record->object);
  if (!descriptor)
    return;
  struct endpoint *endpoint = descriptor->endpoint;
  if (event->process->forking.count)
    pass(endpoint);
  if (endpoint->out && descriptor->ends & SNARLI_E_SEND)
    event->object = endpoint->out->object;
  if (endpoint->kind == SNARLI_C_SYSV && endpoint->in)
    endpoint->in->is_removed = true;
  descriptor_close(model, event->process, event->record->object);
}

void channel_step(struct model *model, struct event *event) {
  switch ((enum snarli_record_type)event->record->type) {
  case SNARLI_R_CHANNEL_OPENED:
    descriptor_open(model, event);
    break;
  case SNARLI_R_CHANNEL_DUPLICATED:
    descriptor_copy(model, event->process, (uint32_t)event->record->object, event->record->aux);
    break;
  case SNARLI_R_CHANNEL_CLOSED:
    closed(model, event);
    break;
  case SNARLI_R_CHANNELS_KNOWN:
    descriptors_settle(model, event->process);
    break;
  case SNARLI_R_CHANNEL_SEND_REQUESTED:
    send_requested(event);
    break;
  case SNARLI_R_CHANNEL_SENT:
  case SNARLI_R_CHANNEL_SEND_RETURNED:
    sent(model, event);
    break;
  case SNARLI_R_CHANNEL_RECEIVE_REQUESTED:
    receive_requested(event);
    break;
  case SNARLI_R_CHANNEL_RECEIVED:
    received(model, event);
    break;
  case SNARLI_R_CHANNEL_FAILED:
  case SNARLI_R_CHANNEL_POLL_RETURNED:
    wait_end(event->thread);
    break;
  case SNARLI_R_CHANNEL_POLLED:
    polled(model, event);
    break;
  case SNARLI_R_CHANNEL_POLL_REQUESTED:
    poll_requested(model, event);
    break;
  case SNARLI_R_CHANNEL_SHUT:
    shut(event);
    break;
  case SNARLI_R_CHANNEL_PASSED:
    pass(endpoint_of(event, event->record->object));
    break;
  case SNARLI_R_CHANNEL_WATCHED:
    watched_changed(model, event);
    break;
  default:
    break;
  }
}
