/* SPDX-License-Identifier: MIT
 *
 * What a process is given by the one that starts it: connections, shared memory and queues, by names of your choice,
 * whatever the start method.
 *
 *   struct snarl_given given[] = {SNARL_GIVEN("orders", &there), SNARL_GIVEN("scores", &memory)};
 *   snarl_process_give(&worker, given, 2);
 *   snarl_process_start(&worker);
 *
 *   static int work(void *job) {
 *     snarl_connection orders;
 *     snarl_shared_memory memory;
 *     if (snarl_given_connection("orders", &orders) || snarl_given_memory("scores", &memory))
 *       return 1;
 *
 * A connection that was given is that process's alone from its start on (snarl_connection_give). Memory needs no name
 * of its own. Primitives made by ..._init_shared lie in memory: each process finds them where it has mapped it. The
 * array and what is in it stay where they are until the start.
 *
 * The process takes each thing once, by the first thread that asks: the object is then its own, to close as usual. What
 * it takes not stays open until its end. SNARL_OK; SNARL_NOT_FOUND: there is none of this name, or it was taken;
 * SNARL_INVALID: it is of another type. SNARL_NO_MEMORY.
 */
#ifndef SNARL_GIVEN_H
#define SNARL_GIVEN_H

#include <snarl/connection.h>
#include <snarl/process.h>
#include <snarl/process_queue.h>
#include <snarl/shared_memory.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarl_given {
  const char *name;
  struct snarl_object *object;
};
#define SNARL_GIVEN(name, thing)                                                                                       \
  { (name), &(thing)->object }

/* Before the start: SNARL_STARTED else. SNARL_INVALID: one is none of these types, or not alive, or has no name, or
 * another has the same. SNARL_TOO_MANY: more than SNARL_GIVEN_MOST, as the kernel passes 253 descriptors at once and a
 * start needs some itself. */
enum { SNARL_GIVEN_MOST = 240 };
#define snarl_process_give(process, given, count) snarl_process_give_at((process), (given), (count), SNARL_HERE)
int snarl_process_give_at(snarl_process *process, const struct snarl_given *given, size_t count,
                          struct snarl_site *site);

/* In the process. */
#define snarl_given_connection(name, connection) snarl_given_connection_at((name), (connection), SNARL_HERE)
#define snarl_given_memory(name, memory) snarl_given_memory_at((name), (memory), SNARL_HERE)
#define snarl_given_queue(name, queue) snarl_given_queue_at((name), (queue), SNARL_HERE)
int snarl_given_connection_at(const char *name, snarl_connection *connection, struct snarl_site *site);
int snarl_given_memory_at(const char *name, snarl_shared_memory *memory, struct snarl_site *site);
int snarl_given_queue_at(const char *name, snarl_process_queue *queue, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
