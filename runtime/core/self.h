/* SPDX-License-Identifier: MIT
 *
 * What libsnarl keeps of every thread that has used it, whoever started it. A thread's own parts are entered by it
 * alone, `ident` and the two parts of its waiting by anybody.
 */
#ifndef SNARLI_SELF_H
#define SNARLI_SELF_H

#include "runtime.h"
#include <signal.h>
#include <snarl/thread.h>

struct snarli_value;

struct snarli_self {
  uint32_t ident;   /* 0: nobody's */
  uint32_t waits;   /* counts the sleeps for locks */
  uint32_t *asleep; /* NULL, or the word of a lock that it sleeps for */
  uint32_t slot, generation;
  uint32_t tid;
  snarl_thread *thread;        /* NULL: not started here */
  snarl_thread stand_in;       /* for it then */
  struct snarli_value *values; /* thread-local, by key */
  uint32_t value_count;
  struct snarli_self *next_free;
};

/* The calling thread's, NULL: there is no room for it. */
struct snarli_self *snarli_self(void);
/* The thread is about to end: its thread-local values do. */
void snarli_values_end(struct snarli_self *self);
/* No handlers on this thread for a while; the trace does not show it. */
void snarli_signals_block(sigset_t *saved);
void snarli_signals_restore(const sigset_t *saved);
/* The library is loaded; and around a fork, with the forking thread or NULL. */
void snarli_threads_open(void);
void snarli_threads_before_fork(void);
void snarli_threads_after_fork(void);
void snarli_threads_in_child(struct snarli_self *forker);
/* The thread in this slot, alive or not; NULL: slots end here. */
struct snarli_self *snarli_self_at(uint32_t slot);

/* How often this process was forked, counted along its ancestors. */
extern uint32_t snarli_forks __attribute__((visibility("hidden")));

#endif
