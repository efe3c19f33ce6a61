/* SPDX-License-Identifier: MIT
 *
 * Watching a program that runs: do its threads wait for each other and none can go on? Main thread.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "study.h"

struct watch {
  const char *path, *name; /* of the trace */
  const struct options *options;
  const struct filter *filter;
  struct filter shown; /* findings that were reported already, as a baseline */
  struct trace *trace; /* as it was looked at last; NULL: not yet */
  struct thread_state *threads;
  size_t thread_count;
  uint64_t next_look, next_study; /* ms of the monotonic clock */
  uint64_t changed;               /* when a thread last did something, as far as looks tell */
  uint64_t studied;               /* what was blocked at the last study, as a hash */
};

void watch_init(struct watch *watch, const char *path, const char *name, const struct options *options,
                const struct filter *filter);
void watch_destroy(struct watch *watch);

/* Milliseconds until the next look is due. */
unsigned watch_pause(const struct watch *watch);
/* Looks. True: `study` is open and holds deadlocks that were not there before, confirmed; close it. */
bool watch_look(struct watch *watch, struct study *study);
/* From now on the findings of `report` count as shown. */
void watch_shown(struct watch *watch, const struct report *report);

#endif
