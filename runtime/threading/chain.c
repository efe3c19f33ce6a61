/* SPDX-License-Identifier: MIT
 *
 * The chain of blocks (see chain.h). The tail belongs to who holds the put guard, the head to who holds the get guard;
 * between the two go `filled` and `next`, and the counts of puts and gets, which each end writes and the other reads.
 */
#include "chain.h"
#include <stdlib.h>

static struct snarli_block *block_new(struct snarli_chain *chain) {
  struct snarli_block *block = snarli_swap_pointer(&chain->spare, NULL);
  if (!block)
    block = malloc(sizeof *block);
  if (block) {
    block->next = NULL;
    block->filled = 0;
  }
  return block;
}

struct snarli_chain *snarli_chain_new(uint64_t limit) {
  struct snarli_chain *chain = aligned_alloc(_Alignof(struct snarli_chain), sizeof *chain);
  if (!chain)
    return NULL;
  *chain = (struct snarli_chain){.limit = limit};
  chain->head = chain->tail = block_new(chain);
  if (chain->head)
    return chain;
  free(chain);
  return NULL;
}

void snarli_chain_settle(struct snarli_chain *chain) {
  snarli_guard(&chain->put_guard);
  snarli_guard(&chain->get_guard);
}

void snarli_chain_free(struct snarli_chain *chain) {
  for (struct snarli_block *block = chain->head, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  free(chain->spare);
  free(chain);
}

/* With the put guard held. */
static int put(struct snarli_chain *chain, void *item, snarli_noted *noted, void *queue, struct snarl_site *site) {
  struct snarli_block *tail = chain->tail;
  if (chain->is_closed)
    return SNARL_CLOSED;
  if (chain->limit != UINT64_MAX && chain->puts - snarli_load64(&chain->gets) >= chain->limit)
    return SNARLI_WOULD_WAIT;
  if (tail->filled == SNARLI_BLOCK) {
    struct snarli_block *more = block_new(chain);
    if (!more)
      return SNARL_NO_MEMORY;
    (void)snarli_swap_pointer(&tail->next, more);
    chain->tail = tail = more;
  }
  tail->items[tail->filled] = item;
  if (noted)
    noted(queue, site);
  snarli_store64(&chain->puts, chain->puts + 1);
  snarli_store64(&tail->filled, tail->filled + 1);
  return SNARL_OK;
}

int snarli_chain_put(struct snarli_chain *chain, void *item, snarli_noted *noted, void *queue,
                     struct snarl_site *site) {
  snarli_guard(&chain->put_guard);
  int status = put(chain, item, noted, queue, site);
  snarli_unguard(&chain->put_guard);
  return status;
}

/* The block at the head is used up: on to the next one, if there is one. With the get guard held. */
static bool next_block(struct snarli_chain *chain) {
  struct snarli_block *used = chain->head, *next = snarli_load_pointer(&used->next);
  if (chain->taken < SNARLI_BLOCK || !next)
    return false;
  chain->head = next;
  chain->taken = 0;
  free(snarli_swap_pointer(&chain->spare, used));
  return true;
}

/* With the get guard held. Whether it is closed is asked first: what was put before that is seen. */
static int get(struct snarli_chain *chain, void **item) {
  bool is_closed = snarli_load(&chain->is_closed);
  while (chain->taken == snarli_load64(&chain->head->filled))
    if (!next_block(chain))
      return is_closed ? SNARL_CLOSED : SNARLI_WOULD_WAIT;
  *item = chain->head->items[chain->taken++];
  snarli_store64(&chain->gets, chain->gets + 1);
  return SNARL_OK;
}

int snarli_chain_get(struct snarli_chain *chain, void **item) {
  snarli_guard(&chain->get_guard);
  int status = get(chain, item);
  snarli_unguard(&chain->get_guard);
  return status;
}

bool snarli_chain_close(struct snarli_chain *chain) {
  snarli_guard(&chain->put_guard);
  bool was_open = !chain->is_closed;
  snarli_store(&chain->is_closed, 1);
  snarli_unguard(&chain->put_guard);
  return was_open;
}
