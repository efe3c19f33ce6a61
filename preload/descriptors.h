/* SPDX-License-Identifier: MIT
 *
 * What the process's descriptors are, as far as somebody asked: a table of small numbers, so that a read of a regular
 * file costs one look. An entry is found out by fstat at the first use, and forgotten when a wrapped function closes
 * the descriptor or makes one with its number. Lock-free; entered by any thread and by signal handlers. Two threads
 * that use and close one descriptor at once may leave either's entry: the program has no say in that either.
 */
#ifndef SNARLI_DESCRIPTORS_H
#define SNARLI_DESCRIPTORS_H

#include "wrapper.h"
#include <stdatomic.h>

/* An entry: what it is, and a count of what the number stood for. */
enum {
  SNARLI_D_UNKNOWN = 0,
  SNARLI_D_PLAIN = 1,   /* a file, a terminal, a socket of the world: not recorded */
  SNARLI_D_CHANNEL = 1, /* + enum snarli_channel_kind */
  SNARLI_D_KIND = 15,
  SNARLI_D_RECEIVE = 16,
  SNARLI_D_SEND = 32,
  SNARLI_D_NONBLOCK = 64,
  SNARLI_D_TIMED = 128, /* calls on it end by themselves */
  SNARLI_D_COUNT = 256,
  SNARLI_D_NEAR = 1024,
};

extern _Atomic uint32_t snarli_descriptors_near[SNARLI_D_NEAR];

static inline unsigned snarli_kind(uint32_t entry) { return entry & SNARLI_D_KIND; }
static inline bool snarli_is_channel(uint32_t entry) { return snarli_kind(entry) > SNARLI_D_PLAIN; }

/* The cheap answer: certainly not recorded. */
static inline bool snarli_is_plain(int fd) {
  return (unsigned)fd < SNARLI_D_NEAR &&
         snarli_kind(atomic_load_explicit(&snarli_descriptors_near[fd], memory_order_relaxed)) == SNARLI_D_PLAIN;
}

/* What it is, found out if need be; and what is known without asking. */
uint32_t snarli_descriptor(int fd);
uint32_t snarli_descriptor_peek(int fd);
void snarli_descriptor_store(int fd, uint32_t entry);
void snarli_descriptor_forget(int fd);
/* Looks at it anew, and records what it is: after it was connected, or its capacity changed. `ends`: SNARLI_E_MADE or
 * 0. */
uint32_t snarli_descriptor_find(int fd, unsigned ends, uint32_t stack);
/* It is an end of this channel from now on. `ends`: enum snarli_end; `entry`: flags. */
void snarli_descriptor_opened(int fd, const struct snarli_channel *channel, const char *name, unsigned ends,
                              unsigned entry);
/* The numbers in [first, last] that stand for channels, one by one: the next from *at on, -1 at the end. */
int snarli_descriptor_next(unsigned *at, unsigned last);

/* Before it is closed, by a call with this stack. */
void snarli_descriptor_closing(int fd, uint32_t stack);

/* Before a system call that closes, or replaces what a number stands for (close, close_range, dup2, dup3). */
void snarli_descriptors_called(long number, long a, long b, long c, uint32_t stack);

/* The call stack, if the call on `fd` is to be recorded; it stands in the wrapper's own frame. */
#define SNARLI_STACK_OF_CHANNEL(fd)                                                                                    \
  (snarli_is_channel(snarli_descriptor_peek(fd)) && snarli_is_recording() ? SNARLI_STACK : 0)

#endif
