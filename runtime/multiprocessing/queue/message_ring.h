/* SPDX-License-Identifier: MIT
 *
 * A ring of messages in memory that processes share: rows of bytes of any size, in the order of their puts, from any
 * number of threads and processes to any number. Each end has a robust lock, and what has happened at it becomes true
 * by one store: the count of messages that went through. Who is killed before that store has done nothing, who is
 * killed after it everything, and the next owner of the lock goes on from the counts. So a killed process takes along
 * at most the message that it was putting, or had got. Entered by any thread of any process that has the memory.
 *
 * The bytes between the ends grow when a message does not fit, under both locks: what would lie elsewhere in a ring of
 * twice the size is copied there, where nobody looks yet, then the size is stored. When all is got, what has grown
 * large is given back.
 */
#ifndef SNARLI_MESSAGE_RING_H
#define SNARLI_MESSAGE_RING_H

#include "core/eventcount.h"
#include <snarl/lock.h>
#include <sys/uio.h>

/* One end: what its lock guards. The other end reads `count` and what follows, which lie apart from what it does not:
 * who spins on the count does not slow down who takes the lock. */
struct snarli_message_end {
  snarl_lock lock;
  uint64_t seen, seen_behind;   /* of the other end, when it was looked at last */
  _Alignas(128) uint64_t count; /* messages that went through; made true by adding one to it */
  uint64_t behind[2];           /* [count & 1]: where the last of them ends; the other: where the next one will */
  uint32_t processor;           /* where the last of them went through */
};

struct snarli_message_ring {
  uint64_t magic;
  uint64_t size;     /* of the mapping: this, the room, the bytes at their largest */
  uint64_t data;     /* where the bytes begin */
  uint64_t limit;    /* messages, UINT64_MAX: none */
  uint64_t most;     /* bytes; a power of two, as is: */
  uint64_t capacity; /* bytes now */
  uint64_t backed;   /* so many bytes may have memory behind them */
  uint32_t closed;
  uint32_t waiting; /* in calls that sleep, or were when they were killed */
  _Alignas(128) struct snarli_message_end puts;
  _Alignas(128) struct snarli_message_end gets;
  _Alignas(128) struct snarli_eventcount messages; /* getters sleep here */
  _Alignas(128) struct snarli_eventcount places;
  _Alignas(128) char room[]; /* the user's */
};

/* Before anybody can get it: the message is the ring's `number`th, from 0. Called with the lock of the end held. */
typedef void snarli_message_noted(void *context, uint64_t number);
/* Where the message that comes next goes: sets *to. Anything but SNARL_OK: it stays, and that is the get's answer. What
 * is stored here is there before the message is got: it was got if snarli_message_ring_got says more than `number`.
 * Called with the lock of the end held. */
typedef int snarli_message_place(void *context, uint64_t number, size_t size, void **to);

/* With so many bytes of room, filled with zeros, and its descriptor, for snarli_message_ring_attach in a process that
 * is no fork; it is the caller's to close, at once if there are only forks. SNARL_NO_MEMORY, SNARL_NO_DESCRIPTOR. */
int snarli_message_ring_new(struct snarli_message_ring **ring, uint64_t limit, size_t room, int *fd);
/* SNARL_INVALID: that is none. */
int snarli_message_ring_attach(struct snarli_message_ring **ring, int fd);
/* What this process has of it. */
void snarli_message_ring_unmap(struct snarli_message_ring *ring);

/* SNARL_OK, SNARL_TIMEOUT (it is full; without a limit: an end was not free in time), SNARL_CLOSED, SNARL_NO_MEMORY,
 * SNARL_INVALID (the calling thread can hold no robust lock). The time limit is exceeded by up to a tenth of a second
 * if another process stops in the middle of a call. `noted` may be NULL. */
int snarli_message_ring_put(struct snarli_message_ring *ring, const struct iovec *parts, int count,
                            snarli_message_noted *noted, void *context, snarl_time timeout);
/* The size, or SNARL_TIMEOUT, SNARL_CLOSED (and nothing is left), SNARL_INVALID, or what `place` said. */
int64_t snarli_message_ring_get(struct snarli_message_ring *ring, snarli_message_place *place, void *context,
                                snarl_time timeout);
/* SNARL_OK, SNARL_CLOSED: it was before; SNARL_INVALID. */
int snarli_message_ring_close(struct snarli_message_ring *ring);

/* Somebody waits, here or at `too`, where who waits is counted in `waiting`, too; NULL: nowhere. */
bool snarli_message_ring_is_awaited(struct snarli_message_ring *ring, struct snarli_eventcount *too);

/* How many were put so far, and got. */
static inline uint64_t snarli_message_ring_put_count(const struct snarli_message_ring *ring) {
  return snarli_load64(&ring->puts.count);
}
static inline uint64_t snarli_message_ring_got(const struct snarli_message_ring *ring) {
  return snarli_load64(&ring->gets.count);
}

#endif
