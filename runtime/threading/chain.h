/* SPDX-License-Identifier: MIT
 *
 * A first-in-first-out of pointers without a limit: a chain of blocks with a guard at each end, so that puts and gets
 * never wait for each other (M. Michael, M. Scott, "Simple, Fast, and Practical Non-Blocking and Blocking Concurrent
 * Queue Algorithms", PODC 1996, the two-lock queue, with blocks for nodes). Entered by any thread.
 */
#ifndef SNARLI_CHAIN_H
#define SNARLI_CHAIN_H

#include "ring.h"

enum { SNARLI_BLOCK = 510 };

struct snarli_block {
  void *next;      /* the block after this one, once it is full */
  uint64_t filled; /* items put into it so far: written at the tail, read at the head */
  void *items[SNARLI_BLOCK];
};

struct snarli_chain {
  uint64_t limit; /* UINT64_MAX: none */
  void *spare;    /* an empty block */
  _Alignas(128) uint32_t put_guard;
  uint32_t is_closed;
  struct snarli_block *tail;
  uint64_t puts;
  _Alignas(128) uint32_t get_guard;
  uint32_t taken; /* of the block at the head */
  struct snarli_block *head;
  uint64_t gets;
};

struct snarli_chain *snarli_chain_new(uint64_t limit); /* NULL: no memory */
void snarli_chain_free(struct snarli_chain *chain);
/* Waits for those who have done their put or get and are on their way out. */
void snarli_chain_settle(struct snarli_chain *chain);

/* SNARL_OK, SNARL_CLOSED, SNARLI_WOULD_WAIT, and of a put SNARL_NO_MEMORY. */
int snarli_chain_put(struct snarli_chain *chain, void *item, snarli_noted *noted, void *queue, struct snarl_site *site);
int snarli_chain_get(struct snarli_chain *chain, void **item);
bool snarli_chain_close(struct snarli_chain *chain); /* false: it was closed before */

#endif
