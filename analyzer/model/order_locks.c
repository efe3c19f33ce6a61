/* SPDX-License-Identifier: MIT
 *
 * What locks and semaphores order (see happens_before.h). One thread per value.
 */
#include "ordering.h"
#include <string.h>

/* Who knows that a lock was taken, but not that it was released, learned it from something that its holder handed out
 * meanwhile; else the release need not be kept. */
static void released(struct happens_before *hb, const struct event *event, struct ordering *mine) {
  bool is_birth = event->object->was_held_at_birth && !(event->object->order && event->object->order->first_post.hard);
  if (event->gave_epoch == mine->epoch && !is_birth) {
    if (event->object->order)
      event->object->order->releaser = 0;
    return;
  }
  struct ordering *o = ordering_of(hb, &event->object->order);
  stamp_set(hb, &o->release, stamp_keep(mine->known));
  o->releaser = event->thread->serial;
  o->take_epoch = event->gave_epoch;
  if (is_birth)
    o->first_post = (struct stamp){clock_set(&hb->clocks, mine->known.hard, o->releaser, mine->epoch),
                                   clock_set(&hb->clocks, mine->known.soft, o->releaser, mine->epoch)};
  o->release_epoch = mine->epoch++;
}

static void taken(struct happens_before *hb, const struct event *event, struct ordering *mine) {
  const struct ordering *o = event->object->order;
  event->took->epoch = mine->epoch;
  if (!o)
    return;
  if (o->first_post.hard) /* it was made held: whoever takes it comes after its first release, but not any later one */
    order_learn(hb, event->thread, o->first_post);
  if (!o->releaser || o->releaser == event->thread->serial)
    return;
  if (clock_get(mine->known.hard, o->releaser) < o->take_epoch)
    return;
  struct stamp stamp = {clock_set(&hb->clocks, o->release.hard, o->releaser, o->release_epoch),
                        clock_set(&hb->clocks, o->release.soft, o->releaser, o->release_epoch)};
  order_learn(hb, event->thread, stamp);
  stamp_drop(hb, &stamp);
}

/* A lock taken in an order that must be so was released in that order. */
void order_lock(struct happens_before *hb, const struct event *event) {
  bool gave = event->gave && event->is_write;
  if (!event->object || (!gave && !event->took))
    return;
  struct ordering *mine = ordering_of(hb, &event->thread->order);
  if (gave)
    released(hb, event, mine);
  if (event->took)
    taken(hb, event, mine);
}

static void post(struct happens_before *hb, const struct event *event) {
  struct ordering *o = ordering_of(hb, &event->object->order);
  struct stamp stamp = order_hand_out(hb, event->thread);
  order_join(hb, &o->given.soft, stamp.soft);
  uint32_t mixed = map_get(hb->mixed_sems, event->object->serial);
  if (event->object->posts == 1)
    stamp_set(hb, &o->first_post, stamp_keep(stamp));
  if (mixed == MAP_NONE) {
    if (o->post_head * 2 > o->posts.count) { /* what has been taken goes */
      o->posts.count -= o->post_head;
      memmove(o->posts.items, o->posts.items + o->post_head, o->posts.count * sizeof stamp);
      o->post_base += o->post_head;
      o->post_head = 0;
    }
    if (!o->posts.count)
      o->post_base = event->object->posts;
    vector_push(hb->arena, &o->posts) = stamp;
  } else {
    stamp_drop(hb, &stamp);
  }
}

/* The only poster's post without which the only acquirer would still wait. */
static void learn_post(struct happens_before *hb, const struct event *event, struct ordering *o) {
  uint32_t needed = event->object->acquires - event->object->first_value;
  if (event->object->acquires <= event->object->first_value)
    return;
  while (o->post_head < o->posts.count && o->post_base + o->post_head < needed)
    stamp_drop(hb, &o->posts.items[o->post_head++]);
  if (o->post_head < o->posts.count && o->post_base + o->post_head == needed)
    order_learn(hb, event->thread, o->posts.items[o->post_head]);
  if (o->post_head == o->posts.count)
    o->posts.count = o->post_head = 0;
}

void order_semaphore(struct happens_before *hb, const struct event *event) {
  struct object *sem = event->object;
  if (!sem || sem->role == SEM_LOCK) {
    order_lock(hb, event);
    return;
  }
  struct ordering *o = ordering_of(hb, &sem->order);
  if (event->info->phase == SNARLI_RELEASE) {
    post(hb, event);
  } else if (event->info->phase == SNARLI_ACQUIRE) {
    uint32_t mixed = map_get(hb->mixed_sems, sem->serial);
    order_learn_softly(hb, event->thread, o->given.soft);
    if (mixed == MAP_NONE)
      learn_post(hb, event, o);
    else if (mixed == 2 && sem->has_value && !sem->first_value)
      order_learn(hb, event->thread, o->first_post);
  }
}
