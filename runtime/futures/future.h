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

/* What is another matter where the task runs in a process. Of a future that is its kind's first member. */
struct snarli_future_kind {
  /* Nobody has begun it and nobody will: it is the caller's to end. */
  bool (*take_back)(snarl_future *future);
  bool (*is_begun)(const snarl_future *future);
  /* The calling thread is the one that would complete it. */
  bool (*is_mine)(const snarl_future *future);
  /* What the trace knows it by. */
  uint64_t (*address)(const snarl_future *future);
  /* As snarli_future_await and what comes after it, with records. */
  bool (*await_recorded)(snarl_future *future, snarl_time timeout, struct snarl_site *site);
  void (*note_return)(const snarl_future *future, struct snarl_site *site);
  /* Nobody has it any more: records that and frees all that is not snarl_future's. */
  void (*end)(snarl_future *future);
};

struct snarl_future {
  uint32_t state, references;
  const struct snarli_future_kind *kind; /* NULL: the task runs in a thread */
  union {
    struct {
      snarl_task *task;
      void *argument;
    };
    void *of_kind[2];
  };
  void *value;
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

/* The caller, whose reference keeps it until then, has begun or taken it back: it is done now. */
void snarli_future_complete(snarl_future *future, enum snarli_future_state state);
/* What the trace knows it by. */
static inline uint64_t snarli_future_address(const snarl_future *future) {
  return __builtin_expect(future->kind != NULL, 0) ? future->kind->address(future) : snarli_address(future);
}

/* What snarl_fail says in this thread from now on goes there; NULL: nowhere. */
void snarli_fail_into(struct snarl_error **error);
/* One with texts of its own, and never NULL: where there is no memory it is one that says so. */
struct snarl_error *snarli_error_copy(const struct snarl_error *error);
struct snarl_error *snarli_error_print(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void snarli_error_free(struct snarl_error *error);

/* At most so many threads run its tasks. */
unsigned snarli_executor_workers(const snarl_executor *executor);

#endif
