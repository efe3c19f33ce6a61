/* SPDX-License-Identifier: MIT
 *
 * Lost updates of a manager's items, a kind of `data-race`: a thread gets an item, another changes it, and the first
 * sets it without having learned of that. It has happened, in the order in which the manager did it all, which the
 * versions tell; whoever learned of the change before, by a lock or in any other way, has overwritten it knowingly and
 * is not told of. Fed by the replay of data_race. One thread per analysis.
 */
#ifndef SNARL_CHECKS_LOST_UPDATE_H
#define SNARL_CHECKS_LOST_UPDATE_H

#include "../describe/describe.h"
#include "../model/observed.h"

struct item_change {
  struct thread *thread; /* pinned */
  struct origin origin;
  uint32_t version, epoch; /* that it made; the thread's when it asked for it */
};

/* What a thread knows of an item, and does with it now. */
struct item_user {
  struct thread *thread; /* pinned */
  struct origin read_at;
  uint32_t read, now, overwritten, epoch;
  bool has_read, is_same, is_agreed;
  struct {            /* a set whose reply was noted down before that of the set that it overwrote */
    uint32_t version; /* 0: none */
    struct origin read_at, written_at;
  } early;
};

enum { ITEM_CHANGES = 64 }; /* the last ones are kept: one that is lost was overwritten by the next */
struct item {
  struct item_change changes[ITEM_CHANGES];
  uint32_t change_count;
  VECTOR(struct item_user) users;
};

struct lost_update {
  struct object *object; /* pinned, as are the threads */
  struct item_change lost;
  struct thread *thread;
  struct origin read_at, written_at;
  uint64_t count;
};

struct lost_updates {
  struct arena *arena;
  struct model *model;
  struct observed *observed;
  struct map by_object; /* serial -> place in items */
  VECTOR(struct item *) items;
  struct map seen; /* hash of three places and an item -> place in found */
  VECTOR(struct lost_update) found;
};

void lost_updates_step(struct lost_updates *updates, const struct event *event);
void lost_updates_drop_object(struct lost_updates *updates, const struct object *object);
void lost_updates_announce(const struct lost_updates *updates, struct describe *describe);
void lost_updates_report(const struct lost_updates *updates, struct describe *describe, struct found_list *found);

#endif
