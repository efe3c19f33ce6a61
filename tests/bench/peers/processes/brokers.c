/* SPDX-License-Identifier: MIT
 *
 * Messages by ZeroMQ and nng over their ipc transports. Neither may be in use before a fork, so all is made in the
 * workers. A receiver has a socket of its own, to which every sender connects: of messages to several, each gets about
 * as many as the others.
 */
#include "process_peers.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>
#include <zmq.h>

enum { A_WHILE = 100 /* ms */, BUFFERED = 1000 /* messages, as ZeroMQ does by itself */ };

static bool answers, is_many;
static int pairs_of;
static void make(int channels, size_t largest, int pairs) {
  (void)largest;
  answers = channels > 1;
  is_many = pairs > 1;
  pairs_of = pairs;
}
static const char *address(int receiver) {
  static char text[64];
  snprintf(text, sizeof text, "ipc://%s/%d", scratch, receiver);
  return text;
}

static void *context, *zmq_end;
static void zmq_listen(int worker) {
  context = zmq_ctx_new();
  int kind = answers ? ZMQ_PAIR : worker % 2 ? ZMQ_PULL : ZMQ_PUSH, wait = A_WHILE;
  must(context && (zmq_end = zmq_socket(context, kind)) != NULL, "zmq_socket");
  if (worker % 2 == 0)
    return;
  must(!is_many || zmq_setsockopt(zmq_end, ZMQ_RCVTIMEO, &wait, sizeof wait) == 0, "zmq_setsockopt");
  must(zmq_bind(zmq_end, address(worker)) == 0, "zmq_bind");
}
static void zmq_connect_all(int worker) {
  for (int i = 0; i < pairs_of && worker % 2 == 0; i++)
    must(zmq_connect(zmq_end, address(2 * i + 1)) == 0, "zmq_connect");
}
static void zmq_send_one(int channel, const void *message, size_t size) {
  (void)channel;
  must(zmq_send(zmq_end, message, size, 0) == (int)size, "zmq_send");
}
static size_t zmq_receive(int channel, void *message, size_t room) {
  (void)channel;
  int got = zmq_recv(zmq_end, message, room, 0);
  must(got > 0 || errno == EAGAIN, "zmq_recv");
  return got > 0 ? (size_t)got : 0;
}
static void zmq_end_all(int worker) {
  (void)worker;
  zmq_close(zmq_end);
  zmq_ctx_term(context);
}

static nng_socket nng_end;
static void nng_listen_all(int worker) {
  int failed = answers ? nng_pair0_open(&nng_end) : worker % 2 ? nng_pull0_open(&nng_end) : nng_push0_open(&nng_end);
  must(failed == 0, "an nng socket");
  /* Without a buffer each message is handed from thread to thread. */
  must(nng_socket_set_int(nng_end, NNG_OPT_SENDBUF, BUFFERED) == 0 || worker % 2, "NNG_OPT_SENDBUF");
  must(nng_socket_set_int(nng_end, NNG_OPT_RECVBUF, BUFFERED) == 0 || worker % 2 == 0, "NNG_OPT_RECVBUF");
  if (worker % 2 == 0)
    return;
  must(!is_many || nng_socket_set_ms(nng_end, NNG_OPT_RECVTIMEO, A_WHILE) == 0, "nng_socket_set_ms");
  must(nng_listen(nng_end, address(worker), NULL, 0) == 0, "nng_listen");
}
static void nng_connect(int worker) {
  for (int i = 0; i < pairs_of && worker % 2 == 0; i++)
    must(nng_dial(nng_end, address(2 * i + 1), NULL, 0) == 0, "nng_dial");
}
static void nng_send_one(int channel, const void *message, size_t size) {
  (void)channel;
  must(nng_send(nng_end, (void *)message, size, 0) == 0, "nng_send");
}
static size_t nng_receive(int channel, void *message, size_t room) {
  size_t size = room;
  (void)channel;
  int failed = nng_recv(nng_end, message, &size, 0);
  must(failed == 0 || failed == NNG_ETIMEDOUT, "nng_recv");
  return failed ? 0 : size;
}
static void nng_end_all(int worker) {
  (void)worker;
  nng_close(nng_end);
}

const struct transport zeromq = {.name = "zeromq",
                                 .make = make,
                                 .listen = zmq_listen,
                                 .connect = zmq_connect_all,
                                 .send = zmq_send_one,
                                 .receive = zmq_receive,
                                 .close = zmq_end_all,
                                 .scatters = true};
const struct transport nanomsg = {.name = "nng",
                                  .make = make,
                                  .listen = nng_listen_all,
                                  .connect = nng_connect,
                                  .send = nng_send_one,
                                  .receive = nng_receive,
                                  .close = nng_end_all,
                                  .scatters = true};
