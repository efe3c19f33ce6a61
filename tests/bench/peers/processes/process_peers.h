/* SPDX-License-Identifier: MIT
 *
 * The same work between processes, done with libsnarl and with what else a program could use. A subject is run by a
 * number of workers, each a process forked from the one that measures; all they know of each other lies in `shared`.
 * Each peer counts what it has done, so that work which was not done is no measurement.
 */
#ifndef SNARL_BENCH_PROCESS_PEERS_H
#define SNARL_BENCH_PROCESS_PEERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum placement { FREE, APART, TOGETHER }; /* the scheduler's choice; a processor each; all on one */
enum { MOST_WORKERS = 8, CACHE_LINE = 64 };

/* What one worker tells the one that measures; each on cache lines of its own. */
struct account {
  _Alignas(2 * CACHE_LINE) double begin, end; /* on the monotonic clock, in ns */
  _Atomic uint64_t count;                     /* units of work done */
  uint64_t sum;                               /* of the numbers of those units */
};

struct shared {
  pthread_barrier_t gate;
  struct account accounts[MOST_WORKERS];
  _Alignas(2 * CACHE_LINE) unsigned char room[1 << 20]; /* the peer's own, zeros at first */
};
extern struct shared *shared;
extern enum placement placement;
extern char scratch[]; /* a directory for sockets, empty at first and removed with what is in it */

struct process_peer {
  const char *subject, *name;
  int workers;
  void (*make)(void);                                   /* before the fork */
  void (*open)(int worker);                             /* in each worker; nobody goes on until all have returned */
  void (*connect)(int worker);                          /* then */
  void (*run)(int worker, long operations);             /* what is measured: from its first begin to its last end */
  void (*close)(int worker);                            /* when all have run */
  void (*end)(void);                                    /* after the workers' end */
  uint64_t (*expected)(long operations, uint64_t *sum); /* how many units of work there must have been; NULL: as many
                                                           as operations */
};

/* The list of what there is, each ending with a NULL subject. */
extern const struct process_peer value_peers[], start_peers[], pool_peers[], own_pool_peers[], manager_peers[];

/* How messages go from process to process. Channels are numbered from 0; a function that a transport does not need is
 * NULL. What fails ends the worker. */
struct transport {
  const char *name;
  void (*make)(int channels, size_t largest, int pairs);
  void (*listen)(int worker);
  void (*connect)(int worker);
  void (*send)(int channel, const void *message, size_t size);
  size_t (*receive)(int channel, void *message, size_t room); /* 0: nothing came for a while */
  void (*close)(int worker);
  void (*end)(void);
  bool scatters;     /* of several receivers none knows how many of all messages are its own */
  bool one_pair;     /* not for several */
  bool answers_only; /* each message waits for the one before to be answered */
};
extern const struct transport raw_pipe, raw_large_pipe, raw_socket, raw_queue, raw_futex, raw_spin, zeromq, nanomsg,
    own_connection, own_queue, own_wide_queue;

double now(void);
/* Binds the calling process to where the placement wants its `worker`-th. */
void place_worker(int worker);
void tell(int worker, double begin, uint64_t count, uint64_t sum);

_Noreturn void give_up(const char *what);
_Noreturn void not_here(const char *what); /* the system has no such thing, or does not allow it */
static inline void must(int is_so, const char *what) {
  if (!is_so)
    give_up(what);
}

#endif
