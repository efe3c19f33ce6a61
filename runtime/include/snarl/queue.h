/* SPDX-License-Identifier: MIT
 *
 * Queue, LifoQueue, PriorityQueue: pointers from any number of threads to any number of threads. What they point to is
 * the program's; a queue neither copies nor frees it.
 *
 *   static snarl_queue orders = SNARL_QUEUE_INIT("orders", 10);      at most 10 wait in it; 0: no limit
 *   snarl_queue_put(&orders, order, SNARL_FOREVER);
 *   while (snarl_queue_get(&orders, &item, SNARL_FOREVER) == SNARL_OK) ...   until it is closed and empty
 *
 * put: SNARL_OK, SNARL_TIMEOUT (Python's Full), SNARL_CLOSED, SNARL_NO_MEMORY. get: SNARL_OK, SNARL_TIMEOUT (Empty),
 * SNARL_CLOSED (and nothing is left). A priority queue gives the smallest first by `compare`, which is called with two
 * items like qsort's, under the queue's guard: it must not use the queue; NULL: the lower pointer first, for items that
 * are numbers. Equal ones come in the order of their puts.
 *
 * Whoever got an item says snarl_queue_task_done when it has dealt with it; snarl_queue_join waits until all that was
 * put is dealt with. task_done: SNARL_OK, SNARL_TOO_MANY (more often than items were put). close: SNARL_OK,
 * SNARL_CLOSED (it was before); waiting threads come back. destroy: SNARL_OK, SNARL_IN_USE (somebody waits); what is
 * left in it is the caller's to free.
 *
 * Any thread may call any function; no signal handler may. Destroying is for one thread, when no other will begin a
 * call; who got the last item, was told that it is closed, or came back from join may destroy it though the thread that
 * put, closed or did the last task is not back from its call yet. The memory that a queue needs besides the object is
 * taken at its first use: any of the calls may answer SNARL_NO_MEMORY then.
 */
#ifndef SNARL_QUEUE_H
#define SNARL_QUEUE_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_queue_body;
typedef int snarl_compare(const void *left, const void *right);

typedef struct snarl_queue {
  struct snarl_object object;
  size_t limit;
  snarl_compare *compare;
  struct snarli_queue_body *body; /* made at the first use */
} snarl_queue;

#define SNARL_QUEUE_INIT(name, limit)                                                                                  \
  { SNARLI_OBJECT_INIT(QUEUE, name), (limit), NULL, NULL }
#define SNARL_LIFO_QUEUE_INIT(name, limit)                                                                             \
  { SNARLI_OBJECT_INIT(LIFO_QUEUE, name), (limit), NULL, NULL }
#define SNARL_PRIORITY_QUEUE_INIT(name, limit, compare)                                                                \
  { SNARLI_OBJECT_INIT(PRIORITY_QUEUE, name), (limit), (compare), NULL }

#define snarl_queue_init(queue, name, limit) snarl_queue_init_at((queue), (name), (limit), SNARL_HERE)
#define snarl_lifo_queue_init(queue, name, limit) snarl_lifo_queue_init_at((queue), (name), (limit), SNARL_HERE)
#define snarl_priority_queue_init(queue, name, limit, compare)                                                         \
  snarl_priority_queue_init_at((queue), (name), (limit), (compare), SNARL_HERE)
#define snarl_queue_destroy(queue) snarl_queue_destroy_at((queue), SNARL_HERE)
int snarl_queue_init_at(snarl_queue *queue, const char *name, size_t limit, struct snarl_site *site);
int snarl_lifo_queue_init_at(snarl_queue *queue, const char *name, size_t limit, struct snarl_site *site);
int snarl_priority_queue_init_at(snarl_queue *queue, const char *name, size_t limit, snarl_compare *compare,
                                 struct snarl_site *site);
int snarl_queue_destroy_at(snarl_queue *queue, struct snarl_site *site);

#define snarl_queue_put(queue, item, timeout) snarl_queue_put_at((queue), (item), (timeout), SNARL_HERE)
#define snarl_queue_get(queue, item, timeout) snarl_queue_get_at((queue), (item), (timeout), SNARL_HERE)
#define snarl_queue_put_nowait(queue, item) snarl_queue_put_at((queue), (item), SNARL_NOW, SNARL_HERE)
#define snarl_queue_get_nowait(queue, item) snarl_queue_get_at((queue), (item), SNARL_NOW, SNARL_HERE)
#define snarl_queue_close(queue) snarl_queue_close_at((queue), SNARL_HERE)
#define snarl_queue_task_done(queue) snarl_queue_task_done_at((queue), SNARL_HERE)
#define snarl_queue_join(queue, timeout) snarl_queue_join_at((queue), (timeout), SNARL_HERE)
int snarl_queue_put_at(snarl_queue *queue, void *item, snarl_time timeout, struct snarl_site *site);
int snarl_queue_get_at(snarl_queue *queue, void **item, snarl_time timeout, struct snarl_site *site);
int snarl_queue_close_at(snarl_queue *queue, struct snarl_site *site);
int snarl_queue_task_done_at(snarl_queue *queue, struct snarl_site *site);
int snarl_queue_join_at(snarl_queue *queue, snarl_time timeout, struct snarl_site *site);

/* As of a moment that is over when they return; a queue without a limit is never full, none at all is empty. */
size_t snarl_queue_size(const snarl_queue *queue);
bool snarl_queue_empty(const snarl_queue *queue);
bool snarl_queue_full(const snarl_queue *queue);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
