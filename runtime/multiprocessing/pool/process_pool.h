/* SPDX-License-Identifier: MIT
 *
 * A pool of worker processes from the inside, for Pool and ProcessPoolExecutor. A collecting thread forks the workers,
 * takes what they have done, watches whether they live, and ends them; whoever submits puts tasks into free slots
 * itself, or behind others that wait for one. Entered by any thread of the process that made the pool.
 */
#ifndef SNARLI_PROCESS_POOL_H
#define SNARLI_PROCESS_POOL_H

#include "core/self.h"
#include "work.h"
#include <poll.h>
#include <snarl/process.h>
#include <snarl/thread.h>
#include <sys/queue.h>

/* What a slot has of the pool's work; `work` NULL: it is free. */
struct snarli_job {
  struct snarli_work *work;
  uint32_t chunk;
  uint64_t place, size; /* of its arguments in the file; size 0: they are not there */
};

struct snarli_worker {
  snarl_process process;
  struct snarli_process_pool *pool;
  unsigned number;
  bool is_there;
  uint32_t pid; /* for others to see */
  char name[48];
};

enum snarli_pool_state { SNARLI_POOL_BEGINS, SNARLI_POOL_WORKS, SNARLI_POOL_IS_OVER };

struct snarli_process_pool {
  struct snarli_task_ring *ring;
  struct snarl_pool_options options;
  struct snarl_site *site;
  char name[40], thread_name[40];
  size_t mapped;  /* bytes of addresses */
  uint32_t forks; /* of the process it lives in */
  int pid;        /* its number */
  bool is_executor;
  bool is_exiting; /* the exit of the program sees to it */
  uint32_t references;
  snarl_thread collector;
  uint32_t state;                       /* enum snarli_pool_state */
  int status;                           /* of its beginning */
  LIST_ENTRY(snarli_process_pool) link; /* among the open ones */
  bool is_open;

  uint32_t guard; /* of what follows */
  bool is_closed;
  bool is_to_end;             /* somebody wants it terminated */
  bool is_dropping;           /* but not by a call for that */
  struct snarl_error *broken; /* NULL: it is whole */
  uint64_t turn;
  uint32_t tickets;
  uint32_t *free_slots, free_count;
  struct snarli_job *jobs;
  struct snarli_work *backlog, **backlog_end;
  struct snarli_buffer outgoing;

  /* the collector's */
  struct snarli_worker *workers;
  struct pollfd *polled;
  struct snarli_buffer incoming;
  int lost_begins;    /* workers that ended before they could work, one after another */
  int failed_starts;  /* tries to replace workers, one after another */
  int64_t next_start; /* when to try again to replace a worker */
};

/* SNARL_OK, or why not, and nothing is left behind. */
int snarli_pool_begin(struct snarli_process_pool **made, uint32_t alive, const char *name,
                      const struct snarl_pool_options *options, struct snarl_site *site);
static inline bool snarli_pool_is_here(const struct snarli_process_pool *pool) { return pool->forks == snarli_forks; }
/* One reference less; whoever has the last one frees it. Its collector has ended, or is another process's. */
void snarli_pool_unref(struct snarli_process_pool *pool);
/* The calling thread is its collector. */
bool snarli_pool_is_collector(const struct snarli_process_pool *pool);

/* Gives it work, to which the pool gets a reference of its own. SNARL_OK, SNARL_CLOSED, SNARL_BROKEN_POOL, or why an
 * argument cannot be sent. */
int snarli_pool_submit(struct snarli_process_pool *pool, struct snarli_work *work, struct snarl_site *site);
/* Takes back what has not begun of it. */
bool snarli_pool_take_back(struct snarli_process_pool *pool, struct snarli_work *work);
void snarli_pool_abandon(struct snarli_process_pool *pool, struct snarli_work *work);
bool snarli_pool_has_begun(struct snarli_process_pool *pool, const struct snarli_work *work);
/* The guard is held: puts as much of the backlog into slots as goes. */
void snarli_pool_pump(struct snarli_process_pool *pool);
/* The guard is held: the slot is free again. */
void snarli_pool_slot_free(struct snarli_process_pool *pool, uint32_t slot);

/* No more work. */
void snarli_pool_close(struct snarli_process_pool *pool);
/* And what is there is dropped; `is_dropping`: by no wish of the program's. */
void snarli_pool_terminate(struct snarli_process_pool *pool, bool is_dropping);
/* Waits for the end of the workers. SNARL_OK, SNARL_TIMEOUT, SNARL_DEADLOCK. */
int snarli_pool_join(struct snarli_process_pool *pool, snarl_time timeout, struct snarl_site *site);
/* All that has not begun is cancelled, or fails; how much that was. */
uint32_t snarli_pool_end_waiting(struct snarli_process_pool *pool, const struct snarl_error *error);

/* The collecting thread, and its parts. */
void *snarli_pool_collect(void *pool);
/* Whatever the workers are through with; false: nothing. */
bool snarli_pool_collect_done(struct snarli_process_pool *pool);
int snarli_worker_start(struct snarli_process_pool *pool, unsigned number);
/* Sleeps until the bell rings or a worker ends, and sees to those that have. */
void snarli_workers_tend(struct snarli_process_pool *pool, int64_t deadline);
/* Waits until all have ended; `is_forced`: makes them. */
void snarli_workers_end(struct snarli_process_pool *pool, bool is_forced);
/* The workers have ended: what they had fails; how much that was. `is_failure`: a failure of the tasks. */
uint32_t snarli_pool_end_claimed(struct snarli_process_pool *pool, const struct snarl_error *error, bool is_failure);

/* Whose worker the calling thread forks from now on; NULL: nobody's. */
void snarli_pool_starts_worker(const struct snarli_process_pool *pool);
/* In the worker: what it does. */
int snarli_worker_run(snarl_process *process);

#endif
