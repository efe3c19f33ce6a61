/* SPDX-License-Identifier: MIT
 *
 * The finding `data-race`: two threads access one variable, at least one of them writes, and nothing in this run
 * ordered the two. Looked for among accesses that are in the trace, after a replay of its own; a trace without such
 * accesses pays nothing. Of each variable the last accesses that can still race are kept: one write, and what was not
 * ordered before it (Flanagan and Freund 2009). One thread per analysis.
 */
#ifndef SNARL_CHECKS_DATA_RACE_H
#define SNARL_CHECKS_DATA_RACE_H

#include "../describe/describe.h"
#include "../model/observed.h"
#include "lost_update.h"

struct race_access {
  struct thread *thread; /* pinned */
  struct origin origin;
  uint32_t epoch;
  bool is_write;
};

struct race_variable {
  struct object *object;
  VECTOR(struct race_access) last;
};

struct race {
  struct object *object; /* pinned */
  struct race_access first, second;
  uint64_t count;
};

struct data_races {
  struct arena *arena;
  struct model model;
  struct observed observed;
  struct map by_object; /* serial -> place in variables */
  VECTOR(struct race_variable) variables;
  struct map seen; /* hash of a pair of places on a variable -> place in races */
  VECTOR(struct race) races;
  struct lost_updates lost;
};

void data_races_find(struct data_races *races, struct arena *arena, struct trace *trace);
void data_races_announce(const struct data_races *races, struct describe *describe);
void data_races_report(const struct data_races *races, struct describe *describe, struct found_list *found);

#endif
