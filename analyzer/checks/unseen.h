/* SPDX-License-Identifier: MIT
 *
 * What the recorder could not see, as far as it left a sign: waits on futexes that are no objects of the C library, and
 * libraries known to synchronize by system calls of their own. Said in the report, so that its silence is not taken for
 * an all-clear. One thread per value.
 */
#ifndef SNARL_CHECKS_UNSEEN_H
#define SNARL_CHECKS_UNSEEN_H

#include "../describe/describe.h"

struct unseen_site {
  struct origin origin;
  uint64_t waits;
};

struct unseen {
  struct arena *arena;
  struct model *model;
  struct map places; /* process and stack -> place in sites */
  VECTOR(struct unseen_site) sites;
  bool has_own_free, has_own_delete;
};

/* As what a library of a name that begins so was loaded by any process; NULL: by none. */
const char *unseen_library(const struct trace *trace, const char *name);

void unseen_init(struct unseen *unseen, struct arena *arena, struct model *model);
void unseen_step(struct unseen *unseen, const struct event *event);
void unseen_report(struct unseen *unseen, struct describe *describe, struct report *report);

#endif
