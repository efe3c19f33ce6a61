/* SPDX-License-Identifier: MIT
 *
 * What all pools have to do: a task takes a number and returns it, at once or when a millisecond of work is over.
 */
#ifndef SNARL_BENCH_POOLS_H
#define SNARL_BENCH_POOLS_H

#include "process_peers.h"

enum { POOL_WORKERS = 2 };

static inline int64_t empty_task(int64_t argument) { return argument; }
static inline int64_t long_task(int64_t argument) {
  for (double end = now() + 1e6; now() < end;)
    ;
  return argument;
}

/* Python's choice: four chunks for each worker. */
static inline long chunk_of(long operations) { return (operations + 4 * POOL_WORKERS - 1) / (4 * POOL_WORKERS); }

static inline uint64_t every_number(long operations, uint64_t *sum) {
  *sum = (uint64_t)operations * (uint64_t)(operations - 1) / 2;
  return (uint64_t)operations;
}

#endif
