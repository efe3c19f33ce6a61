/* SPDX-License-Identifier: MIT
 *
 * A bounded first-in-first-out of pointers for any number of threads at both ends, without a lock: D. Vyukov's "Bounded
 * MPMC queue" (1024cores) with stamps that carry a lap, as in crossbeam's array channel, so that the capacity need be
 * no power of two. A position is lap | index; a slot's stamp is the position of the put that it is free for, or that
 * + 1 when it holds its item. Entered by any thread; a thread that stops in the middle of a put or a get holds up
 * those who come to its slot, and nobody else.
 *
 * A put or get first takes its position by a compare-and-swap, which is what snarli_ring_is_empty and _is_full look at:
 * who announces that it will sleep and then finds the ring empty is seen by every later put.
 */
#ifndef SNARLI_RING_H
#define SNARLI_RING_H

#include "core/runtime.h"

struct snarli_slot {
  uint64_t stamp;
  void *item;
};

struct snarli_ring {
  uint64_t capacity, lap; /* lap: the first power of two above the capacity */
  _Alignas(128) uint64_t head;
  _Alignas(128) uint64_t tail; /* SNARLI_RING_CLOSED: no more puts */
  _Alignas(128) struct snarli_slot slots[];
};

#define SNARLI_RING_CLOSED (1ull << 63)
#define SNARLI_RING_MOST 65536u /* capacity: beyond that a growing store costs less memory */

/* What an attempt found besides SNARL_OK, SNARL_CLOSED. */
#define SNARLI_WOULD_WAIT SNARL_TIMEOUT

struct snarli_ring *snarli_ring_new(uint64_t capacity); /* NULL: no memory; freed with free() */

/* How many positions lie before this one. */
static inline uint64_t snarli_ring_count(const struct snarli_ring *ring, uint64_t position) {
  position &= ~SNARLI_RING_CLOSED;
  uint64_t index = position & (ring->lap - 1);
  return (position - index) / ring->lap * ring->capacity + index;
}

static inline uint64_t snarli_ring_next(const struct snarli_ring *ring, uint64_t position) {
  uint64_t index = position & (ring->lap - 1);
  return index + 1 < ring->capacity ? position + 1 : position - index + ring->lap;
}

/* Another thread is in the slot: it will be out soon, or is not running. */
void snarli_ring_yield(unsigned *tries);

/* `noted`: says in the trace, before anybody can get the item, that it was put; NULL: nothing is recorded. */
typedef void snarli_noted(void *queue, struct snarl_site *site);

static inline int snarli_ring_put(struct snarli_ring *ring, void *item, snarli_noted *noted, void *queue,
                                  struct snarl_site *site) {
  uint64_t tail = snarli_load64(&ring->tail);
  for (unsigned tries = 0;;) {
    if (__builtin_expect(tail & SNARLI_RING_CLOSED, 0))
      return SNARL_CLOSED;
    struct snarli_slot *slot = &ring->slots[tail & (ring->lap - 1)];
    uint64_t stamp = snarli_load64(&slot->stamp);
    if (__builtin_expect(stamp == tail, 1)) {
      if (!snarli_cas64(&ring->tail, &tail, snarli_ring_next(ring, tail)))
        continue;
      slot->item = item;
      if (noted)
        noted(queue, site);
      snarli_store64(&slot->stamp, tail + 1);
      return SNARL_OK;
    }
    if (stamp + ring->lap == tail + 1 && snarli_load64(&ring->head) + ring->lap == tail)
      return SNARLI_WOULD_WAIT;
    snarli_ring_yield(&tries);
    tail = snarli_load64(&ring->tail);
  }
}

static inline int snarli_ring_get(struct snarli_ring *ring, void **item) {
  uint64_t head = snarli_load64(&ring->head);
  for (unsigned tries = 0;;) {
    struct snarli_slot *slot = &ring->slots[head & (ring->lap - 1)];
    uint64_t stamp = snarli_load64(&slot->stamp);
    if (__builtin_expect(stamp == head + 1, 1)) {
      if (!snarli_cas64(&ring->head, &head, snarli_ring_next(ring, head)))
        continue;
      *item = slot->item;
      snarli_store64(&slot->stamp, head + ring->lap);
      return SNARL_OK;
    }
    uint64_t tail = snarli_load64(&ring->tail);
    if (stamp == head && (tail & ~SNARLI_RING_CLOSED) == head)
      return tail & SNARLI_RING_CLOSED ? SNARL_CLOSED : SNARLI_WOULD_WAIT;
    snarli_ring_yield(&tries);
    head = snarli_load64(&ring->head);
  }
}

/* The word that changes when the next get, or put, may succeed. */
static inline const uint32_t *snarli_ring_word(const struct snarli_ring *ring, uint64_t position) {
  return snarli_lower_half(&ring->slots[position & (ring->lap - 1)].stamp);
}

/* False: it was closed before. */
bool snarli_ring_close(struct snarli_ring *ring);

#endif
