/* SPDX-License-Identifier: MIT
 *
 * Queue between processes: messages, each a row of bytes of any size, from any number of threads and processes to any
 * number, in the order of their puts. Python's multiprocessing Queue, JoinableQueue and, with a limit of 0,
 * SimpleQueue.
 *
 *   snarl_process_queue orders;
 *   snarl_process_queue_init(&orders, "orders", 10);                  at most 10 wait in it; 0: no limit
 *   ... start processes ...
 *   snarl_process_queue_put(&orders, &order, sizeof order, SNARL_FOREVER);
 *   while (snarl_process_queue_get_into(&orders, &order, sizeof order, SNARL_FOREVER) >= 0) ...
 *
 * It is in memory that processes share. A process that was forked after init, and every Process is, uses its copy of
 * the object, which stays valid when the parent has ended. A put is there for all when it returns: unlike in Python no
 * thread feeds it to the others, so a process may end before what it has put was got, and be joined.
 *
 * A process that is killed in the midst of a call takes at most that call's message along, and holds up nobody; no
 * message comes twice. One that is stopped in the midst of a call holds up its end, so that a timeout can be exceeded
 * by a tenth of a second. Whoever waited for what was put before the kill goes on after at most as long.
 *
 * put: SNARL_OK, SNARL_TIMEOUT (Python's Full), SNARL_CLOSED, SNARL_NO_MEMORY (there is none for a message so large).
 * get and get_into: the size, or SNARL_TIMEOUT (Empty), SNARL_CLOSED (and nothing is left), SNARL_TOO_LARGE (the
 * message stays, for a call with more room), SNARL_NO_MEMORY (it stays as well).
 *
 * put_any puts whatever snarl_any_of takes, which it is given, also when it fails: what put says, or what an any can't
 * be packed for. get_any gives an any that is the caller's; or an error of what get says, or of bytes that are no any.
 *
 *   snarl_process_queue_put_any(&orders, "coffee", SNARL_FOREVER);
 *   snarl_auto_any order = snarl_process_queue_get_any(&orders, SNARL_S(3));
 *
 * Whoever got a message says snarl_process_queue_task_done when it has dealt with it; snarl_process_queue_join waits
 * until all that was put is dealt with, which never comes for what a killed process had got. task_done: SNARL_OK,
 * SNARL_TOO_MANY (more often than messages were put). close, for all processes: SNARL_OK, SNARL_CLOSED (it was before);
 * who waits comes back.
 *
 * destroy is its end for all processes, which is for one of them, when no other will begin a call: SNARL_OK,
 * SNARL_IN_USE (somebody waits); what is left in it is lost. detach lets go of it in this process alone; a process that
 * ends need not. Memory: some 130 KiB at first, as much as is in it later; addresses for up to 64 GiB.
 */
#ifndef SNARL_PROCESS_QUEUE_H
#define SNARL_PROCESS_QUEUE_H

#include <snarl/any.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_process_queue_body;

typedef struct snarl_process_queue {
  struct snarl_object object;
  struct snarli_process_queue_body *body; /* in the shared memory */
  int fd;                                 /* of that memory */
} snarl_process_queue;

/* SNARL_OK, SNARL_INVALID, SNARL_NO_MEMORY, SNARL_NO_DESCRIPTOR. The name is copied. */
#define snarl_process_queue_init(queue, name, limit) snarl_process_queue_init_at((queue), (name), (limit), SNARL_HERE)
#define snarl_process_queue_destroy(queue) snarl_process_queue_destroy_at((queue), SNARL_HERE)
#define snarl_process_queue_detach(queue) snarl_process_queue_detach_at((queue), SNARL_HERE)
int snarl_process_queue_init_at(snarl_process_queue *queue, const char *name, size_t limit, struct snarl_site *site);
int snarl_process_queue_destroy_at(snarl_process_queue *queue, struct snarl_site *site);
int snarl_process_queue_detach_at(snarl_process_queue *queue, struct snarl_site *site);

#define snarl_process_queue_put(queue, bytes, size, timeout)                                                           \
  snarl_process_queue_put_at((queue), (bytes), (size), (timeout), SNARL_HERE)
#define snarl_process_queue_put_nowait(queue, bytes, size) snarl_process_queue_put(queue, bytes, size, SNARL_NOW)
/* Into memory of the caller's, of `room` bytes. */
#define snarl_process_queue_get_into(queue, bytes, room, timeout)                                                      \
  snarl_process_queue_get_into_at((queue), (bytes), (room), (timeout), SNARL_HERE)
/* Into memory that is the caller's to free, with a zero behind the message. Not more than `most` bytes. */
#define snarl_process_queue_get(queue, message, most, timeout)                                                         \
  snarl_process_queue_get_at((queue), (message), (most), (timeout), SNARL_HERE)
#define snarl_process_queue_get_nowait(queue, message, most) snarl_process_queue_get(queue, message, most, SNARL_NOW)
int snarl_process_queue_put_at(snarl_process_queue *queue, const void *bytes, size_t size, snarl_time timeout,
                               struct snarl_site *site);
int64_t snarl_process_queue_get_into_at(snarl_process_queue *queue, void *bytes, size_t room, snarl_time timeout,
                                        struct snarl_site *site);
int64_t snarl_process_queue_get_at(snarl_process_queue *queue, void **message, size_t most, snarl_time timeout,
                                   struct snarl_site *site);

#define snarl_process_queue_put_any(queue, value, timeout)                                                             \
  snarl_process_queue_put_any_at((queue), snarl_any_of(value), (timeout), SNARL_HERE)
#define snarl_process_queue_get_any(queue, timeout) snarl_process_queue_get_any_at((queue), (timeout), SNARL_HERE)
int snarl_process_queue_put_any_at(snarl_process_queue *queue, snarl_any value, snarl_time timeout,
                                   struct snarl_site *site);
snarl_any snarl_process_queue_get_any_at(snarl_process_queue *queue, snarl_time timeout, struct snarl_site *site);

#define snarl_process_queue_close(queue) snarl_process_queue_close_at((queue), SNARL_HERE)
#define snarl_process_queue_task_done(queue) snarl_process_queue_task_done_at((queue), SNARL_HERE)
#define snarl_process_queue_join(queue, timeout) snarl_process_queue_join_at((queue), (timeout), SNARL_HERE)
int snarl_process_queue_close_at(snarl_process_queue *queue, struct snarl_site *site);
int snarl_process_queue_task_done_at(snarl_process_queue *queue, struct snarl_site *site);
int snarl_process_queue_join_at(snarl_process_queue *queue, snarl_time timeout, struct snarl_site *site);

/* As of a moment that is over when they return; a queue without a limit is never full, none at all is empty. */
size_t snarl_process_queue_size(const snarl_process_queue *queue);
bool snarl_process_queue_empty(const snarl_process_queue *queue);
bool snarl_process_queue_full(const snarl_process_queue *queue);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
