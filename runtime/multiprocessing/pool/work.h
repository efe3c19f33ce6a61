/* SPDX-License-Identifier: MIT
 *
 * What is given to a pool of processes: one task, or a map of one over many arguments, which goes to the workers in
 * chunks. It is the future, too, and lives until nobody has that: who asked, the pool while it waits there, each slot
 * with a chunk of it. Chunks end one by one: in the collecting thread, or in one that cancels them. Entered by any
 * thread.
 */
#ifndef SNARLI_WORK_H
#define SNARLI_WORK_H

#include "futures/future.h"
#include "task_bytes.h"

struct snarli_process_pool;

enum snarli_chunk_end { SNARLI_CHUNK_OPEN, SNARLI_CHUNK_DONE, SNARLI_CHUNK_FAILED, SNARLI_CHUNK_CANCELLED };

enum { SNARLI_NO_CHUNK = UINT32_MAX, SNARLI_ANY_CHUNK = UINT32_MAX - 1 };

/* A map's share of its work. */
struct snarli_map {
  size_t count, chunk;
  uint32_t chunks, sent, ended;
  uint32_t wanted; /* a chunk that somebody sleeps for, SNARLI_NO_CHUNK, SNARLI_ANY_CHUNK */
  uint32_t guard;  /* of `ended`, what it counts, and `wanted` */
  bool has_failed, is_cancelled;
  bool is_list; /* somebody wants the results as a list */
  const snarl_any *arguments;
  snarl_any *own_arguments;    /* NULL: they are the caller's, who waits */
  snarl_any *values;           /* of each item */
  struct snarl_error **errors; /* of each item; NULL: none has failed */
  uint32_t *order;             /* the chunks as they ended */
  uint8_t *ends;               /* of each chunk */
  struct snarli_eventcount progress;
};

struct snarli_work {
  snarl_future future;
  struct snarli_process_pool *pool;
  struct snarli_work *next, **link; /* in the backlog; link NULL: it is not there */
  snarl_process_task *task;
  uint32_t slot; /* of a single task, plus one; 0: none */
  uint32_t ticket, ticket_mask;
  uint64_t place; /* of all tickets */
  snarl_any argument, value;
  struct snarl_pool_callbacks *callbacks; /* NULL: none */
  struct snarli_map *map;                 /* NULL: a single task */
};

/* For its submitter alone; `argument` is given away. NULL: no memory. */
struct snarli_work *snarli_work_new(struct snarli_process_pool *pool, snarl_process_task *task, snarl_any argument);
/* `owns`: has the arguments for itself. */
struct snarli_work *snarli_work_new_map(struct snarli_process_pool *pool, snarl_process_task *task,
                                        const snarl_any *arguments, size_t count, size_t chunk, bool owns);
static inline struct snarli_work *snarli_work_keep(struct snarli_work *work) {
  (void)snarli_add(&work->future.references, 1);
  return work;
}
static inline void snarli_work_drop(struct snarli_work *work) { snarli_future_unref(&work->future); }
static inline struct snarli_work *snarli_work_of(snarl_future *future) { return (struct snarli_work *)future; }
static inline const struct snarli_work *snarli_work_seen(const snarl_future *future) {
  return (const struct snarli_work *)future;
}
static inline uint32_t snarli_work_chunks(const struct snarli_work *work) { return work->map ? work->map->chunks : 1; }
/* How many items a chunk has. */
static inline uint32_t snarli_work_items(const struct snarli_work *work, uint32_t chunk) {
  const struct snarli_map *map = work->map;
  if (!map)
    return 1;
  size_t rest = map->count - chunk * map->chunk;
  return (uint32_t)(rest < map->chunk ? rest : map->chunk);
}
/* What the trace knows a chunk by. */
static inline uint64_t snarli_work_address(const struct snarli_work *work, uint32_t chunk) {
  return work->place + ((work->ticket + chunk) & work->ticket_mask);
}

/* Before it is known to anybody: it was submitted. Only if recording. */
void snarli_work_note_submitted(const struct snarli_work *work, struct snarl_site *site);
/* It had nothing to do. */
void snarli_work_finish_empty(struct snarli_work *work);
/* A chunk ends: by what a worker has left in its slot, by an error that stays the caller's (and that is none of the
 * task's unless `is_failure`), or cancelled. */
void snarli_work_take(struct snarli_work *work, uint32_t chunk, struct snarli_slot *slot, struct snarli_buffer *buffer);
void snarli_work_fail(struct snarli_work *work, uint32_t chunk, const struct snarl_error *error, bool is_failure);
void snarli_work_cancel(struct snarli_work *work, uint32_t chunk);
/* Waits until the chunk, or another one if `any`, has ended; `ended`: so many have before. False: the deadline passed.
 */
bool snarli_map_await(struct snarli_map *map, const uint32_t *chunk, uint32_t ended, int64_t deadline);
/* How a chunk ended. */
enum snarli_chunk_end snarli_map_end(struct snarli_map *map, uint32_t chunk);

#endif
