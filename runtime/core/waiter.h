/* SPDX-License-Identifier: MIT
 *
 * Threads that wait in a row: each by a record on its own stack, linked into a list that some lock guards. So who waits
 * is known exactly, is woken in the order of coming, and leaves when its time is over. Whoever wakes a waiter stores
 * its word and then wakes the word's sleeper, by when the waiter may be gone: its word is only an address then.
 */
#ifndef SNARLI_WAITER_H
#define SNARLI_WAITER_H

#include "seam.h"

struct snarli_waiter {
  uint32_t word;               /* 0 while it waits; what that means afterwards is the object's */
  uint32_t kind;               /* the object's */
  struct snarli_waiter **list; /* NULL: in none */
  struct snarli_waiter *next, *previous;
};

/* A list is a pointer to its first waiter; that one's `previous` is the last. */
static inline void snarli_waiter_append(struct snarli_waiter **list, struct snarli_waiter *waiter) {
  struct snarli_waiter *first = *list;
  waiter->list = list;
  waiter->next = NULL;
  waiter->previous = first ? first->previous : waiter;
  if (first)
    first->previous->next = waiter, first->previous = waiter;
  else
    *list = waiter;
}

static inline void snarli_waiter_remove(struct snarli_waiter *waiter) {
  struct snarli_waiter **list = waiter->list, *next = waiter->next, *previous = waiter->previous;
  if (next)
    next->previous = previous;
  else
    (*list)->previous = previous; /* it was the last */
  if (*list == waiter)
    *list = next;
  else
    previous->next = next;
  waiter->list = NULL;
}

#endif
