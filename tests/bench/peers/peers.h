/* SPDX-License-Identifier: MIT
 *
 * The same work done with libsnarl and with what else a C program could use. Each file measures one subject; main.c has
 * the list. Times are nanoseconds of wall time per operation.
 */
#ifndef SNARL_BENCH_PEERS_H
#define SNARL_BENCH_PEERS_H

#include <pthread.h>
#include <stddef.h>

enum placement { FREE, APART, TOGETHER }; /* the scheduler's choice; a processor each; all on one */

struct peer {
  const char *subject, *name;
  void (*make)(void);
  void (*run)(int thread, long operations); /* what each thread does; `operations` in all, of this thread */
  int threads;
  void (*end)(void);
};

/* What a thread of the placement is bound to. */
void place_thread(int thread);

extern const struct peer lock_peers[], wait_peers[], queue_peers[], pool_peers[]; /* each ends with a NULL subject */

_Noreturn void give_up(const char *what);
static inline void must(int is_so, const char *what) {
  if (!is_so)
    give_up(what);
}

#endif
