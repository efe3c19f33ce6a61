/* SPDX-License-Identifier: MIT
 *
 * Stamps that threads hand out and learn (see ordering.h). A thread's clock holds what it knows of others; its own
 * count is kept beside it and goes up whenever it hands its clock out, so that moments between two such points are
 * one. One thread per value.
 */
#include "ordering.h"

struct ordering *ordering_of(struct happens_before *hb, struct ordering **where) {
  if (*where)
    return *where;
  struct ordering *ordering = hb->spare;
  if (ordering)
    hb->spare = ordering->spare;
  else
    ordering = arena_alloc(hb->arena, sizeof *ordering);
  *ordering = (struct ordering){.epoch = 1};
  return *where = ordering;
}

struct stamp order_hand_out(struct happens_before *hb, struct thread *thread) {
  struct ordering *o = ordering_of(hb, &thread->order);
  struct stamp stamp = {clock_set(&hb->clocks, o->known.hard, thread->serial, o->epoch),
                        clock_set(&hb->clocks, o->known.soft, thread->serial, o->epoch)};
  o->epoch++;
  return stamp;
}

void order_hand_out_softly(struct happens_before *hb, struct thread *thread, struct clock **soft) {
  struct stamp stamp = order_hand_out(hb, thread);
  order_join(hb, soft, stamp.soft);
  stamp_drop(hb, &stamp);
}

void order_learn(struct happens_before *hb, struct thread *thread, struct stamp stamp) {
  struct ordering *o = ordering_of(hb, &thread->order);
  const struct clock *hard = o->known.hard, *soft = o->known.soft;
  stamp_join(hb, &o->known, stamp);
  o->learned += o->known.hard != hard || o->known.soft != soft;
}

void order_learn_softly(struct happens_before *hb, struct thread *thread, struct clock *soft) {
  order_learn(hb, thread, (struct stamp){NULL, soft});
}

void ordering_drop_sendings(struct happens_before *hb, struct ordering *o) {
  for (size_t i = o->sending_head; i < o->sendings.count; i++)
    stamp_drop(hb, &o->sendings.items[i].stamp);
  vector_free(hb->arena, &o->sendings);
  o->sending_head = 0;
}

void ordering_drop(struct happens_before *hb, struct ordering **where) {
  struct ordering *o = *where;
  if (!o)
    return;
  struct stamp *stamps[] = {&o->known, &o->fork, &o->end, &o->given, &o->gathering, &o->first_post, &o->release};
  for (size_t i = 0; i < sizeof stamps / sizeof(struct stamp *); i++)
    stamp_drop(hb, stamps[i]);
  for (size_t i = o->post_head; i < o->posts.count; i++)
    stamp_drop(hb, &o->posts.items[i]);
  vector_free(hb->arena, &o->posts);
  ordering_drop_sendings(hb, o);
  o->spare = hb->spare;
  hb->spare = o;
  *where = NULL;
}
