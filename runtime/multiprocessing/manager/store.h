/* SPDX-License-Identifier: MIT
 *
 * What a manager's server keeps: dicts, lists and namespaces, with or without a name, whose items are packed values and
 * have a version each: another one whenever they change, and never twice in one object. The server has one thread.
 */
#ifndef SNARLI_MANAGER_STORE_H
#define SNARLI_MANAGER_STORE_H

#include "packed.h"
#include "wire.h"

/* Packed bytes on the heap, or right here if they are few. */
struct manager_bytes {
  uint32_t size;
  union {
    unsigned char here[12];
    unsigned char *there;
  };
} __attribute__((packed, aligned(4)));

struct packed snarli_manager_view(const struct manager_bytes *bytes);
/* False: there is no memory, and nothing has changed. */
bool snarli_manager_assign(struct manager_bytes *bytes, struct packed to);
void snarli_manager_release(struct manager_bytes *bytes);

struct manager_item {
  struct manager_bytes value;
  uint64_t version; /* 0: there is none here any more */
};
struct manager_pair {
  struct manager_bytes key;
  uint32_t hash;
  struct manager_item item;
};

/* Pairs in the order in which they came, with holes where some went, and a table of places + 1 by the key's hash. */
struct manager_pairs {
  struct manager_pair *pairs;
  uint32_t *table;
  uint32_t used, room, length, mask; /* the table has mask + 1 places, when there are any */
};
struct manager_items {
  struct manager_item *items;
  uint32_t length, room;
};

struct manager_thing {
  struct manager_thing *next; /* with the same hash of the name */
  struct manager_bytes name;
  uint32_t id;
  enum manager_kind kind;
  uint64_t versions; /* the newest */
  union {
    struct manager_pairs pairs;
    struct manager_items items;
  };
};

enum { MANAGER_NAMES = 256 };
struct manager_store {
  uint64_t seed;
  struct manager_thing **things; /* by id - 1; NULL: forgotten */
  uint32_t count, room;
  struct manager_thing *names[MANAGER_NAMES];
};

void snarli_manager_store_free(struct manager_store *store);
struct manager_thing *snarli_manager_thing(const struct manager_store *store, uint32_t id);
/* Finds or makes it; without a name (0 bytes) another one. SNARL_OK, SNARL_WRONG_KIND, SNARL_NO_MEMORY. */
int snarli_manager_open(struct manager_store *store, struct packed name, enum manager_kind kind,
                        struct manager_thing **thing);
void snarli_manager_forget(struct manager_store *store, struct manager_thing *thing);
/* Takes all items out. */
void snarli_manager_clear(struct manager_thing *thing);
uint32_t snarli_manager_length(const struct manager_thing *thing);

/* Dicts and namespaces. NULL: it is not there; there is no memory. A new one has no version yet. */
uint32_t snarli_manager_hash(const struct manager_store *store, struct packed key);
struct manager_pair *snarli_manager_find(const struct manager_pairs *pairs, struct packed key, uint32_t hash);
struct manager_pair *snarli_manager_add(struct manager_pairs *pairs, struct packed key, uint32_t hash);
void snarli_manager_drop(struct manager_pairs *pairs, struct manager_pair *pair);

/* Lists. A new item at that place, empty and without a version; NULL: there is no memory. */
struct manager_item *snarli_manager_insert(struct manager_items *items, uint32_t at);
void snarli_manager_delete(struct manager_items *items, uint32_t at);

/* Answers one request, whatever its bytes are; `reply` gets a whole message behind what is there. False: there was no
 * memory for any answer. SNARL_PROTOCOL in the reply: the client is to be left. */
bool snarli_manager_answer(struct manager_store *store, const void *request, size_t size, struct packed_buffer *reply);

#endif
