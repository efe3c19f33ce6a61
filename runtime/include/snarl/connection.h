/* SPDX-License-Identifier: MIT
 *
 * Pipe: two connections between which messages go, each whole or not at all. A message is a row of bytes, of any number
 * of them, also none.
 *
 *   snarl_connection here, there;
 *   snarl_pipe(&here, &there, "orders", SNARL_DUPLEX);
 *   snarl_connection_give(&there, &worker);           // from its start on it is the worker's alone
 *   snarl_process_start(&worker);
 *   snarl_connection_send(&here, "hello", 5, SNARL_FOREVER);
 *   long size = snarl_connection_recv_into(&here, reply, sizeof reply, SNARL_FOREVER);
 *
 * A receiver is told that nobody can send any more (SNARL_CLOSED) when all copies of the other connection are closed. A
 * fork copies both into the child; so does the start of a Process, and as long as the receiver itself has a copy of
 * the other one, it waits for ever. Close what a process does not use, or give each connection to the process that
 * uses it: it is then closed in the parent by the start, and in processes that are started before or after.
 *
 * One process at a time sends, and one receives, by one connection; threads of a process take turns. The timeout is for
 * the beginning of a message: what has begun is sent or received to its end.
 *
 * send: SNARL_OK, SNARL_TIMEOUT, SNARL_CLOSED (nobody can receive it, or this connection is closed), SNARL_INVALID (one
 * way, the other way). recv: the size, SNARL_TIMEOUT, SNARL_CLOSED, SNARL_TORN, SNARL_TOO_LARGE (the message stays, for
 * a call with more room), SNARL_NO_MEMORY (it stays as well), SNARL_INVALID.
 */
#ifndef SNARL_CONNECTION_H
#define SNARL_CONNECTION_H

#include <snarl/any.h>
#include <snarl/process.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_connection snarl_connection;

struct snarl_connection {
  struct snarl_object object;
  struct snarli_pipe_end *end;
};

/* With SNARL_SIMPLEX the first can only receive and the second only send, as in Python. */
enum snarl_pipe_kind { SNARL_SIMPLEX, SNARL_DUPLEX };

/* SNARL_OK, SNARL_INVALID, SNARL_NO_MEMORY, SNARL_NO_DESCRIPTOR. Both connections have the name. */
#define snarl_pipe(first, second, name, kind) snarl_pipe_at((first), (second), (name), (kind), SNARL_HERE)
#define snarl_connection_send(connection, bytes, size, timeout)                                                        \
  snarl_connection_send_at((connection), (bytes), (size), (timeout), SNARL_HERE)
/* Into memory of the caller's, of `room` bytes. */
#define snarl_connection_recv_into(connection, bytes, room, timeout)                                                   \
  snarl_connection_recv_into_at((connection), (bytes), (room), (timeout), SNARL_HERE)
/* Into memory that is the caller's to free, with a zero behind the message. Not more than `most` bytes. */
#define snarl_connection_recv(connection, message, most, timeout)                                                      \
  snarl_connection_recv_at((connection), (message), (most), (timeout), SNARL_HERE)
/* Values: whatever snarl_any_of takes, which it is given, also when it fails; what send says, or what an any can't be
 * packed for. And an any that is the caller's: an error of what recv says, or of a message that is no any and is lost.
 */
#define snarl_connection_send_any(connection, value, timeout)                                                          \
  snarl_connection_send_any_at((connection), snarl_any_of(value), (timeout), SNARL_HERE)
#define snarl_connection_recv_any(connection, timeout) snarl_connection_recv_any_at((connection), (timeout), SNARL_HERE)
/* A descriptor goes as a message of its own, and comes as a copy that is the receiver's to close: the descriptor, or a
 * status. SNARL_INVALID: what comes next is the other kind of message; it stays. SNARL_NO_DESCRIPTOR: it is lost, as
 * the process has no number for it. */
#define snarl_connection_send_descriptor(connection, fd, timeout)                                                      \
  snarl_connection_send_descriptor_at((connection), (fd), (timeout), SNARL_HERE)
#define snarl_connection_recv_descriptor(connection, timeout)                                                          \
  snarl_connection_recv_descriptor_at((connection), (timeout), SNARL_HERE)
/* 1: recv would not wait, for a message or because it was closed; 0: the time was over. */
#define snarl_connection_poll(connection, timeout) snarl_connection_poll_at((connection), (timeout), SNARL_HERE)
/* This process's copy. Also the end of the object. */
#define snarl_connection_close(connection) snarl_connection_close_at((connection), SNARL_HERE)
int snarl_pipe_at(snarl_connection *first, snarl_connection *second, const char *name, enum snarl_pipe_kind kind,
                  struct snarl_site *site);
int snarl_connection_send_at(snarl_connection *connection, const void *bytes, size_t size, snarl_time timeout,
                             struct snarl_site *site);
int64_t snarl_connection_recv_into_at(snarl_connection *connection, void *bytes, size_t room, snarl_time timeout,
                                      struct snarl_site *site);
int64_t snarl_connection_recv_at(snarl_connection *connection, void **message, size_t most, snarl_time timeout,
                                 struct snarl_site *site);
int snarl_connection_send_any_at(snarl_connection *connection, snarl_any value, snarl_time timeout,
                                 struct snarl_site *site);
snarl_any snarl_connection_recv_any_at(snarl_connection *connection, snarl_time timeout, struct snarl_site *site);
int snarl_connection_send_descriptor_at(snarl_connection *connection, int fd, snarl_time timeout,
                                        struct snarl_site *site);
int snarl_connection_recv_descriptor_at(snarl_connection *connection, snarl_time timeout, struct snarl_site *site);
int snarl_connection_poll_at(snarl_connection *connection, snarl_time timeout, struct snarl_site *site);
int snarl_connection_close_at(snarl_connection *connection, struct snarl_site *site);

/* The connection is this process's from its start on, and no other's. Before the start; both stay where they are till
 * then. NULL: everybody's again. */
int snarl_connection_give(snarl_connection *connection, const snarl_process *process);

/* The descriptor, for poll and the like; it is not to be closed, read or written. */
int snarl_connection_fileno(const snarl_connection *connection);

/* One of several that somebody waits for: a connection to receive from, or the end of a process. */
struct snarl_awaited {
  snarl_connection *connection; /* or NULL */
  snarl_process *process;       /* then */
  bool is_ready;                /* the answer */
};
/* Waits until one of them is ready. How many are; SNARL_TIMEOUT, SNARL_INVALID, SNARL_NO_MEMORY. */
#define snarl_connection_wait(awaited, count, timeout)                                                                 \
  snarl_connection_wait_at((awaited), (count), (timeout), SNARL_HERE)
int snarl_connection_wait_at(struct snarl_awaited *awaited, size_t count, snarl_time timeout, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
