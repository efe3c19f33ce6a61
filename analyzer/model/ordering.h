/* SPDX-License-Identifier: MIT
 *
 * What threads, objects and processes know of others: the stamps from which happens_before.h's two relations are made.
 * Shared by happens_before.c and the order_*.c beside it, one for each kind of synchronization. One thread per value.
 */
#ifndef SNARL_MODEL_ORDERING_H
#define SNARL_MODEL_ORDERING_H

#include "happens_before.h"

struct stamp {
  struct clock *hard, *soft;
};

/* What was sent, by the position of its first byte or message. */
struct sending {
  struct stamp stamp;
  uint64_t begin;
};

struct ordering {
  struct ordering *spare;
  /* of a thread; `end` also of a channel: who closed it */
  struct stamp known, fork, end;
  uint32_t epoch, learned; /* its own count; how often `known` has changed */
  /* of an object */
  struct stamp given; /* a barrier's last round, a once, all signals and posts so far */
  struct stamp gathering, first_post, release;
  VECTOR(struct stamp) posts; /* not yet needed; [0] is number `post_base` */
  uint32_t post_base, post_head;
  VECTOR(struct sending) sendings; /* not yet received, from `sending_head` on */
  size_t sending_head;
  bool has_too_many;
  uint32_t releaser, release_epoch, take_epoch;
};

static inline void stamp_drop(struct happens_before *hb, struct stamp *stamp) {
  clock_drop(&hb->clocks, stamp->hard);
  clock_drop(&hb->clocks, stamp->soft);
  *stamp = (struct stamp){NULL, NULL};
}

static inline void stamp_set(struct happens_before *hb, struct stamp *stamp, struct stamp to) { /* takes `to` over */
  stamp_drop(hb, stamp);
  *stamp = to;
}

static inline struct stamp stamp_keep(struct stamp stamp) {
  return (struct stamp){clock_keep(stamp.hard), clock_keep(stamp.soft)};
}

static inline void order_join(struct happens_before *hb, struct clock **clock, struct clock *other) {
  struct clock *joined = clock_join(&hb->clocks, *clock, other);
  clock_drop(&hb->clocks, *clock);
  *clock = joined;
}

static inline void stamp_join(struct happens_before *hb, struct stamp *stamp, struct stamp other) {
  order_join(hb, &stamp->hard, other.hard);
  order_join(hb, &stamp->soft, other.soft);
}

/* Made at the first question. */
struct ordering *ordering_of(struct happens_before *hb, struct ordering **where);
void ordering_drop(struct happens_before *hb, struct ordering **where);
void ordering_drop_sendings(struct happens_before *hb, struct ordering *ordering);

/* What others learn who come after this point of the thread; the caller's to drop. */
struct stamp order_hand_out(struct happens_before *hb, struct thread *thread);
/* The same, joined to what is so in this run only. */
void order_hand_out_softly(struct happens_before *hb, struct thread *thread, struct clock **soft);
void order_learn(struct happens_before *hb, struct thread *thread, struct stamp stamp);
void order_learn_softly(struct happens_before *hb, struct thread *thread, struct clock *soft);

/* Locks of all families, and semaphores that serve as locks: what is taken and given up. */
void order_lock(struct happens_before *hb, const struct event *event);
void order_semaphore(struct happens_before *hb, const struct event *event);
void order_channel(struct happens_before *hb, const struct event *event);

#endif
