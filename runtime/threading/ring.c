/* SPDX-License-Identifier: MIT
 *
 * The slow parts of the ring. Entered by any thread.
 */
#include "ring.h"
#include <sched.h>
#include <stdlib.h>

struct snarli_ring *snarli_ring_new(uint64_t capacity) {
  size_t size = sizeof(struct snarli_ring) + capacity * sizeof(struct snarli_slot);
  struct snarli_ring *ring = aligned_alloc(_Alignof(struct snarli_ring), (size + 127) / 128 * 128);
  if (!ring)
    return NULL;
  ring->capacity = capacity;
  for (ring->lap = 2; ring->lap <= capacity;)
    ring->lap *= 2;
  ring->head = ring->tail = 0;
  for (uint64_t i = 0; i < capacity; i++)
    ring->slots[i] = (struct snarli_slot){i, NULL};
  return ring;
}

SNARLI_COLD void snarli_ring_yield(unsigned *tries) {
  enum { SPINS = 32 };
  if (++*tries < SPINS)
    snarli_relax();
  else
    (void)sched_yield();
}

bool snarli_ring_close(struct snarli_ring *ring) {
  uint64_t tail = snarli_load64(&ring->tail);
  while (!(tail & SNARLI_RING_CLOSED))
    if (snarli_cas64(&ring->tail, &tail, tail | SNARLI_RING_CLOSED))
      return true;
  return false;
}
