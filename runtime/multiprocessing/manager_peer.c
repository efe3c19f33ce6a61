/* SPDX-License-Identifier: MIT
 *
 * A client as the server of a manager sees it: what it has said so far, and what it has not fetched yet. The server's
 * one thread.
 */
#include "core/system.h"
#include "manager_server.h"
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void watch(const struct manager_server *server, struct peer *peer, int what, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = peer};
  (void)snarli_system(SYS_epoll_ctl, server->epoll, what, peer->fd, &event);
}

struct peer *snarli_peer_new(struct manager_server *server, int fd, int pid) {
  struct peer *peer = calloc(1, sizeof *peer);
  if (peer) {
    peer->fd = fd;
    peer->pid = pid;
    watch(server, peer, EPOLL_CTL_ADD, EPOLLIN);
  }
  return peer;
}

static enum peer_outcome leave(struct manager_server *server, struct peer *peer) {
  for (uint32_t i = 0; i < server->hot_count; i++)
    if (server->hot[i] == peer)
      server->hot[i--] = server->hot[--server->hot_count];
  server->buffered -= peer->in.size + peer->out.size;
  snarli_pack_free(&peer->in);
  snarli_pack_free(&peer->out);
  (void)snarli_system(SYS_close, peer->fd);
  free(peer);
  return PEER_GONE;
}

/* Keeps what was said or is to be fetched. */
static bool keep(struct manager_server *server, struct packed_buffer *buffer, const void *bytes, size_t size) {
  if (server->buffered + size > MANAGER_BUFFERED || !snarli_pack_put(buffer, bytes, size))
    return false;
  server->buffered += size;
  return true;
}

static void unkeep(struct manager_server *server, struct packed_buffer *buffer) {
  server->buffered -= buffer->size;
  snarli_pack_free(buffer);
}

/* As much as the peer's socket has room for. What was sent; -1: there is nobody. */
static int64_t send_pieces(int fd, const unsigned char *bytes, size_t size, size_t sent) {
  while (sent < size) {
    size_t most = sent ? MANAGER_PACKET : MANAGER_FIRST, left = size - sent;
    long result =
        snarli_system(SYS_sendto, fd, bytes + sent, left < most ? left : most, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
    if (result == -EAGAIN || result == -ENOBUFS)
      break;
    if (result < 0 && result != -EINTR)
      return -1;
    sent += result > 0 ? (size_t)result : 0;
  }
  return (int64_t)sent;
}

/* SEQPACKET sends a packet or nothing of it, so where the pieces lie is known. */
static enum peer_outcome reply(struct manager_server *server, struct peer *peer) {
  const struct packed_buffer *reply = &server->reply;
  int64_t sent = send_pieces(peer->fd, reply->bytes, reply->size, 0);
  if (sent == (int64_t)reply->size)
    return peer->is_left ? leave(server, peer) : PEER_SERVED;
  if (sent < 0 || !keep(server, &peer->out, reply->bytes, reply->size))
    return leave(server, peer);
  peer->sent = (size_t)sent;
  watch(server, peer, EPOLL_CTL_MOD, EPOLLOUT);
  return PEER_SERVED;
}

enum peer_outcome snarli_peer_send(struct manager_server *server, struct peer *peer) {
  int64_t sent = send_pieces(peer->fd, peer->out.bytes, peer->out.size, peer->sent);
  if (sent < 0 || (sent == (int64_t)peer->out.size && peer->is_left))
    return leave(server, peer);
  peer->sent = (size_t)sent;
  if (peer->sent == peer->out.size) {
    unkeep(server, &peer->out);
    watch(server, peer, EPOLL_CTL_MOD, EPOLLIN);
  }
  return PEER_IDLE;
}

/* A reply that says a status and nothing else. */
static struct manager_reply status_reply(int status) {
  return (struct manager_reply){.size = sizeof(struct manager_reply), .status = status};
}

void snarli_peer_refuse(int fd, int status) {
  struct manager_reply reply = status_reply(status);
  (void)snarli_system(SYS_sendto, fd, &reply, sizeof reply, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
  (void)snarli_system(SYS_close, fd);
}

static enum peer_outcome refuse(struct manager_server *server, struct peer *peer, int status) {
  struct manager_reply last = status_reply(status);
  (void)snarli_system(SYS_sendto, peer->fd, &last, sizeof last, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
  return leave(server, peer);
}

/* The region goes along with the reply; a new peer's socket has room. */
static enum peer_outcome hello(struct manager_server *server, struct peer *peer,
                               const struct manager_request *request) {
  struct manager_reply reply = status_reply(request->number == MANAGER_PROTOCOL ? SNARL_OK : SNARL_PROTOCOL);
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
  } passed = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&passed.header), &server->memory, sizeof(int));
  struct msghdr message = {.msg_iov = &(struct iovec){&reply, sizeof reply}, .msg_iovlen = 1};
  if (!reply.status && request->version) {
    message.msg_control = &passed;
    message.msg_controllen = sizeof passed;
  }
  long sent = snarli_system(SYS_sendmsg, peer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 && !reply.status ? PEER_SERVED : leave(server, peer);
}

static int32_t status_of(const struct packed_buffer *reply) {
  struct manager_reply head;
  memcpy(&head, reply->bytes, sizeof head);
  return head.status;
}

static void stamp(struct packed_buffer *reply) {
  uint16_t processor = manager_processor();
  memcpy(reply->bytes + offsetof(struct manager_reply, processor), &processor, sizeof processor);
}

static enum peer_outcome answer(struct manager_server *server, struct peer *peer, const unsigned char *bytes,
                                size_t size) {
  struct manager_request request;
  memcpy(&request, bytes, sizeof request);
  if (request.operation == MANAGER_HELLO && size == sizeof request)
    return hello(server, peer, &request);
  if (request.operation == MANAGER_END && size == sizeof request && peer->pid == server->creator_pid) {
    server->is_over = true;
    return refuse(server, peer, SNARL_OK);
  }
  server->processor = request.processor;
  server->reply.size = 0;
  if (!snarli_manager_answer(&server->store, bytes, size, &server->reply))
    return refuse(server, peer, SNARL_NO_MEMORY);
  stamp(&server->reply);
  peer->is_left = status_of(&server->reply) == SNARL_PROTOCOL;
  enum peer_outcome outcome = reply(server, peer);
  if (server->reply.room > 1 << 20) /* a large one, once */
    snarli_pack_free(&server->reply);
  return outcome;
}

/* A packet that goes on where the ones before it ended. */
static enum peer_outcome go_on(struct manager_server *server, struct peer *peer, size_t size) {
  if (peer->in.size + size > peer->expected)
    return refuse(server, peer, SNARL_PROTOCOL);
  if (!keep(server, &peer->in, server->packet, size))
    return refuse(server, peer, SNARL_NO_MEMORY);
  if (peer->in.size < peer->expected)
    return PEER_SERVED;
  struct packed_buffer whole = peer->in;
  peer->in = (struct packed_buffer){NULL, 0, 0};
  server->buffered -= whole.size;
  enum peer_outcome outcome = answer(server, peer, whole.bytes, whole.size);
  snarli_pack_free(&whole);
  return outcome;
}

static enum peer_outcome packet(struct manager_server *server, struct peer *peer, size_t size) {
  if (size > MANAGER_PACKET)
    return refuse(server, peer, SNARL_PROTOCOL);
  if (peer->in.size)
    return go_on(server, peer, size);
  uint32_t expected;
  memcpy(&expected, server->packet, sizeof expected);
  if (size < sizeof(struct manager_request) || expected < size || expected > MANAGER_MOST)
    return refuse(server, peer, expected > MANAGER_MOST ? SNARL_TOO_LARGE : SNARL_PROTOCOL);
  if (expected == size)
    return answer(server, peer, server->packet, size);
  peer->expected = expected;
  return go_on(server, peer, size);
}

enum peer_outcome snarli_peer_receive(struct manager_server *server, struct peer *peer) {
  if (peer->out.size) /* it has not fetched its last reply */
    return PEER_IDLE;
  long size = snarli_system(SYS_recvfrom, peer->fd, server->packet, sizeof server->packet, MSG_DONTWAIT | MSG_TRUNC,
                            NULL, NULL);
  if (size == -EAGAIN || size == -EINTR)
    return PEER_IDLE;
  return size <= 0 ? leave(server, peer) : packet(server, peer, (size_t)size);
}
