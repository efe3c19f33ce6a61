/* SPDX-License-Identifier: MIT
 *
 * What Pool and ProcessPoolExecutor have in common towards their users: the check of the object, and giving work to it.
 * Entered by any thread.
 */
#ifndef SNARLI_POOL_SUBMIT_H
#define SNARLI_POOL_SUBMIT_H

#include "process_pool.h"

/* The object of either: a head, and the pool. */
struct snarli_pool_object {
  struct snarl_object object;
  struct snarli_process_pool *pool;
};

int snarli_pool_object_begin(void *object, uint32_t alive, const char *name, const struct snarl_pool_options *options,
                             struct snarl_site *site);
/* SNARL_OK and the pool, or why not. */
int snarli_pool_of(const void *object, uint32_t alive, struct snarli_process_pool **pool, struct snarl_site *site);
/* Gives back what it had. */
void snarli_pool_object_end(void *object);
/* A call that closes it; _terminated: if it was open. */
void snarli_pool_note_closed(struct snarli_process_pool *pool, struct snarl_site *site);

int snarli_submit_one(struct snarli_process_pool *pool, snarl_process_task *task, snarl_any argument,
                      const struct snarl_pool_callbacks *callbacks, snarl_future **future, struct snarl_site *site);
/* A map for which nobody waits yet; `is_list`: its value is a list. */
int snarli_submit_map(struct snarli_process_pool *pool, snarl_process_task *task, const snarl_any *arguments,
                      size_t count, size_t chunk, bool owns, bool is_list, const struct snarl_pool_callbacks *callbacks,
                      struct snarli_work **made, struct snarl_site *site);
int snarli_submit_and_await(struct snarli_process_pool *pool, snarl_process_task *task, const snarl_any *arguments,
                            size_t count, size_t chunk, snarl_any *results, snarl_time timeout,
                            struct snarl_site *site);

#endif
