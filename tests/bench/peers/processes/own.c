/* SPDX-License-Identifier: MIT
 *
 * Messages by libsnarl. One process at a time has an end of a connection. A queue has room for as many messages as a
 * pipe of a megabyte, or for a thousand small ones; the wide one has no limit, or that of ZeroMQ.
 */
#include "process_peers.h"
#include <snarl/snarl.h>

static snarl_connection here[2], there[2];

static void connection_make(int channels, size_t largest, int pairs) {
  (void)largest;
  (void)pairs;
  for (int i = 0; i < channels; i++)
    must(snarl_pipe(&there[i], &here[i], "messages", SNARL_SIMPLEX) == SNARL_OK, "snarl_pipe");
}
static void connection_send(int channel, const void *message, size_t size) {
  must(snarl_connection_send(&here[channel], message, size, SNARL_FOREVER) == SNARL_OK, "snarl_connection_send");
}
static size_t connection_receive(int channel, void *message, size_t room) {
  int64_t got = snarl_connection_recv_into(&there[channel], message, room, SNARL_FOREVER);
  must(got > 0, "snarl_connection_recv_into");
  return (size_t)got;
}
static void connection_end(void) {
  for (int i = 0; i < 2; i++)
    if (snarl_connection_fileno(&here[i]) >= 0)
      must(snarl_connection_close(&here[i]) == SNARL_OK && snarl_connection_close(&there[i]) == SNARL_OK, "close");
}

const struct transport own_connection = {.name = "connection",
                                         .make = connection_make,
                                         .send = connection_send,
                                         .receive = connection_receive,
                                         .end = connection_end,
                                         .one_pair = true};

static snarl_process_queue queues[2];
static int queues_made;

static void queues_make(int channels, size_t limit) {
  for (queues_made = 0; queues_made < channels; queues_made++)
    must(snarl_process_queue_init(&queues[queues_made], "messages", limit) == SNARL_OK, "init");
}
static void queue_make(int channels, size_t largest, int pairs) {
  (void)pairs;
  queues_make(channels, largest > 1024 ? 16 : 1024);
}
static void wide_make(int channels, size_t largest, int pairs) {
  (void)pairs;
  queues_make(channels, largest > 1024 ? 1000 : 0);
}
static void queue_send(int channel, const void *message, size_t size) {
  must(snarl_process_queue_put(&queues[channel], message, size, SNARL_FOREVER) == SNARL_OK, "snarl_process_queue_put");
}
static size_t queue_receive(int channel, void *message, size_t room) {
  int64_t got = snarl_process_queue_get_into(&queues[channel], message, room, SNARL_FOREVER);
  must(got > 0, "snarl_process_queue_get_into");
  return (size_t)got;
}
static void queue_end(void) {
  while (queues_made)
    must(snarl_process_queue_destroy(&queues[--queues_made]) == SNARL_OK, "snarl_process_queue_destroy");
}

const struct transport own_queue = {
    .name = "process_queue", .make = queue_make, .send = queue_send, .receive = queue_receive, .end = queue_end};
const struct transport own_wide_queue = {
    .name = "process_queue-wide", .make = wide_make, .send = queue_send, .receive = queue_receive, .end = queue_end};
