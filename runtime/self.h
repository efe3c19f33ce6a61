/* SPDX-License-Identifier: MIT
 *
 * What libsnarl keeps of every thread that has used it, whoever started it. A thread's own parts are entered by it
 * alone, `ident` and the two parts of its waiting by anybody.
 */
#ifndef SNARLI_SELF_H
#define SNARLI_SELF_H

#include "runtime.h"

struct snarli_self {
  uint32_t ident;   /* 0: nobody's */
  uint32_t waits;   /* counts the sleeps for locks */
  uint32_t *asleep; /* NULL, or the word of a lock that it sleeps for */
  uint32_t slot, generation;
  uint32_t tid;
  void *thread; /* its struct snarl_thread, NULL: not started here */
  struct snarli_self *next_free;
};

/* The calling thread's, NULL: there is no room for it. */
struct snarli_self *snarli_self(void);
/* The thread in this slot, alive or not; NULL: slots end here. */
struct snarli_self *snarli_self_at(uint32_t slot);

/* How often this process was forked, counted along its ancestors. */
extern uint32_t snarli_forks __attribute__((visibility("hidden")));

#endif
