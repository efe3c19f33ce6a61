/* SPDX-License-Identifier: MIT
 *
 * What an any has in memory: a head that counts its holders, and behind it a string or bytes, a list or a dict. A
 * decoded list or dict has its items in the same block; when it grows they move out. Entered by any thread.
 */
#ifndef SNARLI_ANY_HEAP_H
#define SNARLI_ANY_HEAP_H

#include "core/runtime.h"
#include <snarl/any.h>
#include <stdlib.h>

struct snarli_any_heap {
  union {
    struct {
      uint32_t holders;
      bool is_inside; /* of a list or dict, or was once: what never was is in none, and so in none of its own items */
    };
    uintptr_t dead; /* the next one of those that nobody holds any more */
  };
};

struct snarli_text {
  struct snarli_any_heap head;
  uint32_t size;
  char bytes[]; /* and a zero */
};

struct snarli_list {
  struct snarli_any_heap head;
  uint32_t length, room;
  snarl_any *items;
  snarl_any own[];
};

/* A pair that was taken out leaves a hole: an error for its key. */
struct snarli_pair {
  snarl_any key, item;
  uint32_t hash;
};

/* Few pairs are searched one by one; more have an index: for each place of its `mask + 1` the number of a pair plus
 * one, or 0. `end` counts the holes. */
struct snarli_dict {
  struct snarli_any_heap head;
  uint32_t length, end, room, mask;
  struct snarli_pair *pairs;
  uint32_t *index; /* NULL: none */
  struct snarli_pair own[];
};

static inline struct snarli_text *snarli_text_of(snarl_any value) { return (struct snarli_text *)value.as.heap; }
static inline struct snarli_list *snarli_list_of(snarl_any value) { return (struct snarli_list *)value.as.heap; }
static inline struct snarli_dict *snarli_dict_of(snarl_any value) { return (struct snarli_dict *)value.as.heap; }
static inline bool snarli_is_container(snarl_any value) { return value.type >= SNARL_ANY_LIST; }

/* An any with memory of `size` bytes, held once; the rest is the caller's to fill. SNARL_NO_MEMORY. */
static inline snarl_any snarli_heap_new(enum snarl_any_type type, size_t size) {
  snarl_any value = {(uint8_t)type, {0}};
  struct snarli_any_heap *heap = malloc(size);
  if (!heap)
    return snarl_any_error(SNARL_NO_MEMORY);
  *heap = (struct snarli_any_heap){.holders = 1};
  value.as.heap = heap;
  return value;
}

/* A string or bytes that is known to be right. */
snarl_any snarli_text_new(enum snarl_any_type type, const void *bytes, size_t size);
/* With room for so many items or pairs in their own block. */
snarl_any snarli_list_new(uint32_t room);
snarl_any snarli_dict_new(uint32_t room);

/* Before an item is given to a container: what it is refused for, or SNARL_OK. */
int snarli_any_may_enter(snarl_any container, enum snarl_any_type type, snarl_any item);
static inline void snarli_any_entered(snarl_any item) {
  if (snarli_is_container(item))
    __atomic_store_n(&item.as.heap->is_inside, true, __ATOMIC_RELAXED);
}

/* Both are given, besides if it fails. The pair may be there already: the item replaces the one that is. */
int snarli_dict_give(struct snarli_dict *dict, snarl_any key, snarl_any item);
/* The pair of a key, or NULL. */
struct snarli_pair *snarli_dict_find(const struct snarli_dict *dict, snarl_any key);
static inline bool snarli_is_hole(const struct snarli_pair *pair) { return snarl_any_is_error(pair->key); }

/* Whether it is valid UTF-8. */
bool snarli_is_utf8(const void *bytes, size_t size);

#endif
