/* SPDX-License-Identifier: MIT
 *
 * The memory that a manager hands out: one file without a name, which its clients map wherever they like. Objects
 * between processes lie in it by name, for as long as it lasts. What is behind them is never touched, and mapped only
 * by who records: its addresses name the items of dicts and lists in the trace. Who uses it trusts the others as far as
 * with any shared memory, and checks what would make it leave the region.
 */
#ifndef SNARLI_MANAGER_REGION_H
#define SNARLI_MANAGER_REGION_H

#include "core/runtime.h"
#include <snarl/lock.h>

/* Pages come as they are touched. There are so many identities that no two items have the same. */
#define MANAGER_OBJECTS ((size_t)1 << 30)
#define MANAGER_IDENTITIES ((size_t)1 << 40)

struct region_head;
struct manager_region {
  struct region_head *head; /* NULL: none */
  const char *identities;   /* NULL: nothing is recorded, or there are not so many addresses */
  int fd;                   /* -1: not kept */
};

/* SNARL_OK, SNARL_NO_MEMORY, SNARL_NO_DESCRIPTOR. The descriptor is kept. */
int snarli_region_make(struct manager_region *region);
/* Another's, whose descriptor becomes the region's. Also SNARL_PROTOCOL: it is none. */
int snarli_region_attach(struct manager_region *region, int fd);
void snarli_region_leave(struct manager_region *region);
void snarli_region_close(struct manager_region *region); /* the descriptor alone */

/* The server says how it is: 1 ready, or a status. 0 until then, which is waited for a little while. */
void snarli_region_say(const struct manager_region *region, int word);
int snarli_region_hear(const struct manager_region *region);

/* The object of that name and kind, made by `make` if there is none. NULL: `status` says why. */
struct region_make {
  const char *name; /* NULL: another one each time */
  uint32_t kind;
  size_t size;
  int (*make)(void *object, const struct region_make *how);
  int64_t number;
  size_t shared;
  struct snarl_site *site;
};
void *snarli_region_object(const struct manager_region *region, const struct region_make *how, int *status);

/* What the trace calls an item; 0: nothing. */
uint64_t snarli_region_identity(const struct manager_region *region, uint64_t hash);

#endif
