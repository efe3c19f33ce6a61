/* SPDX-License-Identifier: MIT
 *
 * Waiting for the first of several connections and processes that has something to say. A wait without end is in the
 * trace, so that a hang there is told with whom it waits for. Entered by any thread.
 */
#include "core/system.h"
#include "end.h"
#include <limits.h>
#include <stdlib.h>

static int check(const snarl_connection *connection, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)connection, SNARLI_ALIVE(CONNECTION), site);
}

/* The descriptor to wait for; a status if there is none. */
static int descriptor_of(const struct snarl_awaited *awaited, struct snarl_site *site) {
  if (!awaited->connection)
    return snarl_process_sentinel(awaited->process);
  int status = check(awaited->connection, site);
  if (!status && !awaited->connection->end->may_recv)
    status = snarli_refuse(SNARL_INVALID, awaited->connection, site);
  return status ? status : awaited->connection->end->fd;
}

/* Fills `polled`; poll leaves out what has -1. How many are ready anyway, being over or with the size of a message
 * received, or a status. */
static int prepare(struct snarl_awaited *awaited, struct pollfd *polled, size_t count, struct snarl_site *site) {
  int ready = 0;
  for (size_t i = 0; i < count; i++) {
    int fd = descriptor_of(&awaited[i], site);
    bool is_gone = awaited[i].connection ? fd == -1 : fd == SNARL_CLOSED;
    if (fd < 0 && !is_gone)
      return fd;
    awaited[i].is_ready = is_gone || (awaited[i].connection && awaited[i].connection->end->has_size);
    ready += awaited[i].is_ready;
    polled[i] = (struct pollfd){.fd = awaited[i].is_ready ? -1 : fd, .events = POLLIN};
  }
  return ready;
}

enum { MOST_RECORDED = 64 };

/* A wait without end for several, as it is recorded. */
struct poll_record {
  struct snarli_pending pending;
  const struct snarl_awaited *awaited;
  const struct pollfd *polled;
  size_t count;
  uint32_t place;
};

/* The descriptors of the processes, which the trace knows during the wait only: a child that is forked meanwhile does
 * not keep them. */
static void note_sentinels(const struct poll_record *record, bool begins) {
  for (size_t i = 0; i < record->count; i++) {
    if (record->awaited[i].connection)
      continue;
    unsigned fd = (unsigned)record->polled[i].fd;
    struct snarli_channel channel = {.kind = SNARLI_C_PIDFD, .stack = record->place};
    channel.self = (uint64_t)snarl_process_pid(record->awaited[i].process);
    if (begins)
      snarli_record_aux(SNARLI_R_CHANNEL_OPENED, SNARLI_E_MADE, fd, snarli_blob_channel(&channel, "", 0));
    else
      snarli_record_aux(SNARLI_R_CHANNEL_CLOSED, 0, fd, record->place);
  }
}

static void poll_begins(struct poll_record *record) {
  uint64_t heads[MOST_RECORDED + 1];
  note_sentinels(record, true);
  for (size_t i = 0; i < record->count; i++)
    heads[i] = snarli_record_head(SNARLI_R_CHANNEL_POLLED, SNARLI_E_RECEIVE, (unsigned)record->polled[i].fd);
  heads[record->count] = snarli_record_head(SNARLI_R_CHANNEL_POLL_REQUESTED, 0, record->count);
  snarli_pending_begin(&record->pending, heads, (uint32_t)record->count + 1, record->place);
}

static void poll_ended(struct poll_record *record, long ready) {
  snarli_pending_drop(&record->pending, ready < 0
                                            ? snarli_record_head(SNARLI_R_CHANNEL_FAILED, (unsigned)-ready, 0xfffff)
                                            : snarli_record_head(SNARLI_R_CHANNEL_POLL_RETURNED, 0, (unsigned)ready));
  note_sentinels(record, false);
}

static long poll_several(struct poll_record *record, struct pollfd *polled) {
  poll_begins(record);
  long ready = snarli_poll(polled, record->count, SNARLI_NEVER);
  poll_ended(record, ready);
  return ready;
}

/* One process alone, as a join waits for it; who knows of its end then has not waited for it yet. */
static long poll_process(const struct poll_record *record, struct pollfd *polled) {
  uint64_t pid = (uint64_t)snarl_process_pid(record->awaited->process);
  snarli_record_aux(SNARLI_R_WAIT_REQUESTED, 0, pid, record->place);
  long ready = snarli_poll(polled, 1, SNARLI_NEVER);
  snarli_record_aux(ready < 0 ? SNARLI_R_WAIT_FAILED : SNARLI_R_WAIT_RETURNED, ready < 0 ? (unsigned)-ready : 0, pid,
                    record->place);
  return ready;
}

static long poll_for(struct snarl_awaited *awaited, struct pollfd *polled, size_t count, snarl_time timeout,
                     struct snarl_site *site) {
  long ready = snarli_poll(polled, count, SNARLI_PAST);
  if (ready || timeout <= 0)
    return ready;
  if (timeout != SNARL_FOREVER || count > MOST_RECORDED || !snarli_records())
    return snarli_poll(polled, count, snarli_deadline(timeout));
  struct poll_record record = {.awaited = awaited, .polled = polled, .count = count, .place = snarli_place(site)};
  return count == 1 && !awaited->connection ? poll_process(&record, polled) : poll_several(&record, polled);
}

static int wait_for(struct snarl_awaited *awaited, struct pollfd *polled, size_t count, snarl_time timeout,
                    struct snarl_site *site) {
  int sure = prepare(awaited, polled, count, site);
  if (sure < 0)
    return sure;
  long ready = poll_for(awaited, polled, count, sure ? SNARL_NOW : timeout, site);
  if (ready < 0)
    return ready == -EINVAL ? SNARL_INVALID : SNARL_NO_MEMORY;
  for (size_t i = 0; i < count; i++)
    awaited[i].is_ready |= polled[i].fd >= 0 && polled[i].revents;
  return sure + ready ? (int)(sure + ready) : SNARL_TIMEOUT;
}

int snarl_connection_wait_at(struct snarl_awaited *awaited, size_t count, snarl_time timeout, struct snarl_site *site) {
  if (!awaited || !count || count > INT_MAX)
    return snarli_refuse(SNARL_INVALID, awaited, site);
  struct pollfd few[16], *polled = count <= 16 ? few : calloc(count, sizeof *polled);
  int result = polled ? wait_for(awaited, polled, count, timeout, site) : SNARL_NO_MEMORY;
  if (polled != few)
    free(polled);
  return result;
}

int snarl_connection_poll_at(snarl_connection *connection, snarl_time timeout, struct snarl_site *site) {
  int status = check(connection, site);
  struct snarl_awaited awaited = {.connection = connection};
  struct pollfd polled;
  if (!status)
    status = wait_for(&awaited, &polled, 1, timeout, site);
  return status == SNARL_TIMEOUT ? 0 : status;
}
