/* SPDX-License-Identifier: MIT
 *
 * What sending and receiving order (see happens_before.h). One thread per value.
 */
#include "channel.h"
#include "ordering.h"
#include <string.h>

#define SENDINGS_MOST (1u << 17) /* not yet received; a channel with more orders nothing */

/* A queue with priorities or types, or a count, hands out in another order than that of the sends. */
static bool is_in_order(const struct channel *channel) {
  return channel->kind != SNARLI_C_QUEUE && channel->kind != SNARLI_C_SYSV && channel->kind != SNARLI_C_EVENT;
}

static void send(struct happens_before *hb, const struct event *event, struct ordering *o) {
  struct stamp stamp = order_hand_out(hb, event->thread);
  const struct channel *channel = event->object->channel;
  if (!is_in_order(channel)) {
    order_join(hb, &o->given.soft, stamp.soft);
  } else if (!o->has_too_many && o->sendings.count - o->sending_head < SENDINGS_MOST) {
    vector_push(hb->arena, &o->sendings) = (struct sending){stamp, channel->began};
    return;
  } else {
    o->has_too_many = true;
    ordering_drop_sendings(hb, o);
  }
  stamp_drop(hb, &stamp);
}

/* What was received, and everything before it, was sent before. With one sender and one receiver it is so in every
 * run, if both ends were never anybody else's. */
static void receive(struct happens_before *hb, const struct event *event, struct ordering *o) {
  const struct channel *channel = event->object->channel;
  bool is_hard = channel->is_made && !channel->is_passed && map_get(hb->mixed_sems, event->object->serial) == MAP_NONE;
  order_learn_softly(hb, event->thread, o->given.soft);
  while (o->sending_head < o->sendings.count && o->sendings.items[o->sending_head].begin < channel->received) {
    struct stamp *stamp = &o->sendings.items[o->sending_head++].stamp;
    if (is_hard)
      order_learn(hb, event->thread, *stamp);
    else
      order_join(hb, &o->given.soft, stamp->soft);
    stamp_drop(hb, stamp);
  }
  order_learn_softly(hb, event->thread, o->given.soft);
  if (o->sending_head * 2 <= o->sendings.count)
    return;
  o->sendings.count -= o->sending_head;
  memmove(o->sendings.items, o->sendings.items + o->sending_head, o->sendings.count * sizeof *o->sendings.items);
  o->sending_head = 0;
}

static void close_end(struct happens_before *hb, const struct event *event, struct ordering *o) {
  order_hand_out_softly(hb, event->thread, &o->end.soft);
}

void order_channel(struct happens_before *hb, const struct event *event) {
  if (!event->object || !event->object->channel)
    return;
  struct ordering *o = ordering_of(hb, &event->object->order);
  unsigned type = event->record->type;
  if (type == SNARLI_R_CHANNEL_SENT || type == SNARLI_R_CHANNEL_SEND_REQUESTED)
    send(hb, event, o);
  else if (type == SNARLI_R_CHANNEL_RECEIVED && snarli_transfer_amount(event->record->object))
    receive(hb, event, o);
  else if (type == SNARLI_R_CHANNEL_RECEIVED) /* the end of the stream: everybody has closed it */
    order_learn_softly(hb, event->thread, o->end.soft);
  else if (type == SNARLI_R_CHANNEL_CLOSED || type == SNARLI_R_CHANNEL_SHUT)
    close_end(hb, event, o);
}
