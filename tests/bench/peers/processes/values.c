/* SPDX-License-Identifier: MIT
 *
 * Adding one to a number that processes share, by one process and by two that compete; what a lock protects that its
 * owner's end does not leave locked, and one that it does.
 */
#include "process_peers.h"
#include <snarl/snarl.h>

typedef SNARL_VALUE(uint64_t) counter;
static counter *own_counter;

struct locked {
  pthread_mutex_t mutex;
  volatile uint64_t value;
};
static struct locked *locked(void) { return (struct locked *)shared->room; }

static void mutex_make_with(int robust) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attr, robust);
  must(pthread_mutex_init(&locked()->mutex, &attr) == 0, "pthread_mutex_init");
}
static void robust_make(void) { mutex_make_with(PTHREAD_MUTEX_ROBUST); }
static void mutex_make(void) { mutex_make_with(PTHREAD_MUTEX_STALLED); }

static void mutex_add(int worker, long operations) {
  double begin = now();
  for (long i = 0; i < operations; i++) {
    must(pthread_mutex_lock(&locked()->mutex) == 0, "pthread_mutex_lock");
    locked()->value++;
    pthread_mutex_unlock(&locked()->mutex);
  }
  tell(worker, begin, 0, 0);
}
static void mutex_count(int worker) { shared->accounts[worker].count = worker ? 0 : locked()->value; }

static void own_make(void) { must((own_counter = snarl_value_new(counter, "counter")) != NULL, "snarl_value_new"); }
static void own_add(int worker, long operations) {
  double begin = now();
  for (long i = 0; i < operations; i++)
    (void)snarl_value_update(own_counter, += 1);
  tell(worker, begin, 0, 0);
}
static void own_count(int worker) { shared->accounts[worker].count = worker ? 0 : snarl_value_get(own_counter); }
static void own_end(void) { snarl_value_free(own_counter); }

static uint64_t once(long operations, uint64_t *sum) {
  (void)sum;
  return (uint64_t)operations;
}
static uint64_t twice(long operations, uint64_t *sum) { return 2 * once(operations, sum); }

#define PEER(subject_name, workers_, each)                                                                             \
  {.subject = subject_name,                                                                                            \
   .name = "pthread-robust",                                                                                           \
   .workers = workers_,                                                                                                \
   .make = robust_make,                                                                                                \
   .run = mutex_add,                                                                                                   \
   .close = mutex_count,                                                                                               \
   .expected = each},                                                                                                  \
      {.subject = subject_name,                                                                                        \
       .name = "pthread",                                                                                              \
       .workers = workers_,                                                                                            \
       .make = mutex_make,                                                                                             \
       .run = mutex_add,                                                                                               \
       .close = mutex_count,                                                                                           \
       .expected = each},                                                                                              \
  {                                                                                                                    \
    .subject = subject_name, .name = "snarl", .workers = workers_, .make = own_make, .run = own_add,                   \
    .close = own_count, .end = own_end, .expected = each                                                               \
  }

const struct process_peer value_peers[] = {
    PEER("value", 1, once), PEER("value-contended", 2, twice), {.subject = NULL}};
