/* SPDX-License-Identifier: MIT
 *
 * A growing collection of pointers behind a guard: last in first out (a stack) or smallest first (a binary heap, Cormen
 * et al., "Introduction to Algorithms", 6; equal ones in the order in which they came). Entered by any thread.
 */
#ifndef SNARLI_STORE_H
#define SNARLI_STORE_H

#include "ring.h"

enum snarli_order { SNARLI_LIFO, SNARLI_PRIORITY };

struct snarli_entry {
  void *item;
  uint64_t number; /* how many came before it */
};

struct snarli_store {
  uint32_t guard;
  uint32_t changes; /* counts puts and gets: what a spinning thread looks at */
  enum snarli_order order;
  bool is_closed;
  int (*compare)(const void *, const void *); /* <0: the left one first; NULL: the lower pointer first */
  uint64_t limit;                             /* UINT64_MAX: none */
  uint64_t count, room, puts;
  struct snarli_entry *entries;
};

struct snarli_store *snarli_store_new(enum snarli_order order, uint64_t limit,
                                      int (*compare)(const void *, const void *)); /* NULL: no memory */
void snarli_store_free(struct snarli_store *store);
void snarli_store_settle(struct snarli_store *store); /* waits for those who are on their way out */

/* SNARL_OK, SNARL_CLOSED, SNARLI_WOULD_WAIT, and of a put SNARL_NO_MEMORY. */
int snarli_store_put(struct snarli_store *store, void *item, snarli_noted *noted, void *queue, struct snarl_site *site);
int snarli_store_get(struct snarli_store *store, void **item);
bool snarli_store_close(struct snarli_store *store); /* false: it was closed before */

#endif
