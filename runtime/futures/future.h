/* SPDX-License-Identifier: MIT
 *
 * A future as the library sees it. `state` says who may touch the rest: until it is done the worker that runs the task,
 * then everybody reads. Entered by any thread.
 */
#ifndef SNARLI_FUTURE_H
#define SNARLI_FUTURE_H

#include "core/runtime.h"
#include <snarl/executor.h>
#include <snarl/future.h>

enum snarli_future_state {
  SNARLI_PENDING,
  SNARLI_RUNNING,
  SNARLI_CANCELLED, /* this and those after it are done */
  SNARLI_FINISHED,
  SNARLI_FAILED,
  SNARLI_STATE = 7,
  SNARLI_WAITED_FOR = 8, /* somebody sleeps on the state */
};

/* Told when a future is done; `next` is the future's. */
struct snarli_watcher {
  struct snarli_watcher *next;
  void (*done)(struct snarli_watcher *watcher, snarl_future *future);
};

struct snarl_future {
  uint32_t state, references;
  snarl_task *task;
  void *argument, *value;
  void *watchers; /* the newest first; SNARLI_TOLD: it is done */
  struct snarl_error *error;
};

extern char snarli_told[1] __attribute__((visibility("hidden")));
#define SNARLI_TOLD ((void *)snarli_told)

static inline bool snarli_is_done(uint32_t state) { return (state & SNARLI_STATE) >= SNARLI_CANCELLED; }

/* Referenced by `references`; NULL: no memory. */
snarl_future *snarli_future_new(snarl_task *task, void *argument, uint32_t references);
/* Runs the task unless it was cancelled, and gives the caller's reference back. The calling thread is a worker. */
void snarli_future_run(snarl_future *future);
/* The task that ran in this thread, or a callback of it, ended the thread: as _run from there on. */
void snarli_future_abandon(snarl_future *future);
/* Calls the watcher when the future is done; false: it is. */
bool snarli_future_watch(snarl_future *future, struct snarli_watcher *watcher);
/* Waits; false: the deadline passed. */
bool snarli_future_await(snarl_future *future, int64_t deadline);
/* The references of who got it by submit, and of the worker. */
void snarli_future_unref(snarl_future *future);

/* At most so many threads run its tasks. */
unsigned snarli_executor_workers(const snarl_executor *executor);

#endif
