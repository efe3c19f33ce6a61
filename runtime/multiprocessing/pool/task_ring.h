/* SPDX-License-Identifier: MIT
 *
 * What a pool and its workers share: slots with tasks, the order in which they are taken, and those that are done.
 * There are no locks in it: a worker can be killed between any two instructions and blocks nobody, and what it had is
 * known.
 *
 * A slot's state tells at each moment whose it is. The pool fills a free slot, and names it in the ring's entry of its
 * turn. A worker claims the slot whose turn it is by a compare-and-swap of the state, which at the same time says who
 * did it; whoever sees it claimed may move the head on. What is done is pushed to a stack that the pool takes whole.
 * Slots are more than entries, so that a long task stops no others. Entered by any thread of the pool's process under
 * the pool's guard for what the pool does, and by the main threads of the workers.
 */
#ifndef SNARLI_TASK_RING_H
#define SNARLI_TASK_RING_H

#include "core/eventcount.h"
#include "core/runtime.h"
#include <snarl/pool.h>

/* A slot's room in it; and behind all slots, in memory that is there only once it was used. */
enum { SNARLI_RING = 1024, SNARLI_SLOT_ROOM = 208, SNARLI_SIDE_ROOM = 16384, SNARLI_REASON = 200 };

enum snarli_slot_phase {
  SNARLI_SLOT_FREE,
  SNARLI_SLOT_READY,
  SNARLI_SLOT_TAKEN_BACK, /* cancelled while it was ready: is passed over */
  SNARLI_SLOT_CLAIMED,    /* by the worker */
  SNARLI_SLOT_PASSED,     /* claimed although it was taken back */
  SNARLI_SLOT_DONE,       /* the worker's results are in it */
};

/* A state: turn, worker, phase. */
enum { SNARLI_WORKER_BITS = 16, SNARLI_PHASE_BITS = 3, SNARLI_TURN_AT = SNARLI_WORKER_BITS + SNARLI_PHASE_BITS };
static inline uint64_t snarli_slot_state(uint64_t turn, unsigned worker, enum snarli_slot_phase phase) {
  return turn << SNARLI_TURN_AT | (uint64_t)worker << SNARLI_PHASE_BITS | phase;
}
static inline enum snarli_slot_phase snarli_slot_phase(uint64_t state) {
  return (enum snarli_slot_phase)(state & ((1 << SNARLI_PHASE_BITS) - 1));
}
static inline unsigned snarli_slot_worker(uint64_t state) {
  return state >> SNARLI_PHASE_BITS & ((1 << SNARLI_WORKER_BITS) - 1);
}

/* How the items of a slot are written down: see task_bytes.h. */
enum snarli_form { SNARLI_RAW, SNARLI_PACKED, SNARLI_UNSENT };

struct snarli_slot {
  _Alignas(64) uint64_t state;
  snarl_process_task *task;
  uint64_t size;   /* of the bytes: in the slot, in its room at the side, or at a place of the file */
  uint32_t next;   /* on the stack of those that are done, plus one */
  uint32_t count;  /* of items */
  uint32_t ticket; /* what the trace knows the task by */
  uint32_t at;     /* the item that the worker is at */
  uint32_t form;
  uint32_t has_place; /* the worker has begun to write to the file */
  union {
    uint64_t place; /* in the file */
    _Alignas(16) unsigned char bytes[SNARLI_SLOT_ROOM];
  };
};
_Static_assert(sizeof(struct snarli_slot) == 256, "the first item of a slot is in its first line");

enum snarli_worker_phase { SNARLI_WORKER_BEGINS, SNARLI_WORKER_WORKS, SNARLI_WORKER_LEAVES };

/* What a worker says of itself. */
struct snarli_worker_page {
  _Alignas(64) uint32_t phase;
  int code;                   /* of its initializer's failure */
  char reason[SNARLI_REASON]; /* empty: it has not failed */
};

struct snarli_task_ring {
  struct snarl_object object; /* what the trace knows the pool by */
  unsigned workers, slots;
  size_t size;                                 /* of the ring with the slots; then come their rooms at the side */
  size_t tickets;                              /* where those begin: one byte of addresses for each */
  uint32_t ticket_mask;                        /* they come again */
  int file, bell;                              /* the memory, and what wakes the pool's collector */
  uint32_t is_over;                            /* workers leave when they find no task */
  _Alignas(128) uint64_t head;                 /* the turn of the next task */
  _Alignas(128) struct snarli_eventcount work; /* idle workers sleep here */
  _Alignas(128) uint32_t done;                 /* the stack: a slot's number plus one */
  uint32_t collector_sleeps;
  _Alignas(128) uint64_t file_end;
  _Alignas(128) uint64_t entries[SNARLI_RING]; /* turn << 16 | slot */
};

static inline struct snarli_worker_page *snarli_worker_page(struct snarli_task_ring *ring, unsigned worker) {
  return (struct snarli_worker_page *)(void *)(ring + 1) + worker;
}
static inline struct snarli_slot *snarli_slot_at(struct snarli_task_ring *ring, unsigned slot) {
  return (struct snarli_slot *)(void *)snarli_worker_page(ring, ring->workers) + slot;
}
/* Where a slot's room at the side is in the file, and in the memory, which is read only. */
static inline uint64_t snarli_side_place(struct snarli_task_ring *ring, const struct snarli_slot *slot) {
  return ring->size + (uint64_t)(slot - snarli_slot_at(ring, 0)) * SNARLI_SIDE_ROOM;
}
static inline const unsigned char *snarli_side_room(struct snarli_task_ring *ring, const struct snarli_slot *slot) {
  return (const unsigned char *)ring + snarli_side_place(ring, slot);
}
/* The address that stands for a task in the trace, the same in all processes. */
static inline uint64_t snarli_ticket_address(const struct snarli_task_ring *ring, uint32_t ticket) {
  return snarli_address(ring) + ring->tickets + (ticket & ring->ticket_mask);
}

/* NULL, with a status: NO_MEMORY, NO_DESCRIPTOR. */
struct snarli_task_ring *snarli_tasks_new(unsigned workers, uint32_t alive, const char *name, int *status,
                                          struct snarl_site *site);
/* Addresses that it takes. */
static inline size_t snarli_tasks_mapped(const struct snarli_task_ring *ring) {
  return ring->tickets + ring->ticket_mask + 1;
}
/* Unmaps and closes it in this process. `is_forgotten`: in a child that has nothing to do with it. */
void snarli_tasks_free(struct snarli_task_ring *ring, size_t mapped, bool is_forgotten);

/* The pool's side. Offers a slot as the next in turn; false: there is no room for another one. */
bool snarli_tasks_offer(struct snarli_task_ring *ring, uint64_t turn, unsigned slot);
static inline bool snarli_tasks_has_room(const struct snarli_task_ring *ring, uint64_t turn) {
  return turn - snarli_load64(&ring->head) < SNARLI_RING;
}
/* Wakes one idle worker, or all. */
void snarli_tasks_wake(struct snarli_task_ring *ring, bool all);
static inline void snarli_tasks_notify(struct snarli_task_ring *ring) {
  if (__builtin_expect(snarli_eventcount_has_sleepers(&ring->work), 0))
    snarli_tasks_wake(ring, false);
}
/* Nobody has begun it: takes it back. */
bool snarli_slot_take_back(struct snarli_slot *slot);
/* Those that are done, the first one first, linked by `next`; 0: none. */
uint32_t snarli_tasks_collect(struct snarli_task_ring *ring);

/* A worker's side. The next slot, NULL: there is none. */
struct snarli_slot *snarli_tasks_claim(struct snarli_task_ring *ring, unsigned worker);
/* Waits for one; NULL: it is over, or the pool's process is gone. */
struct snarli_slot *snarli_tasks_await(struct snarli_task_ring *ring, unsigned worker, int parent);
/* Done, or passed over. */
void snarli_slot_done(struct snarli_task_ring *ring, struct snarli_slot *slot);

/* Anybody's: wakes the collector if it sleeps. */
void snarli_tasks_call(struct snarli_task_ring *ring);

#endif
