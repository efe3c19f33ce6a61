/* SPDX-License-Identifier: MIT
 *
 * A client as the server of a manager sees it: what it has said so far, and what it has not fetched yet. The server's
 * one thread.
 */
#include "core/system.h"
#include "server.h"
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
    peer->offered = -1;
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

/* With a descriptor, if there is one; the socket has room, as its last reply was fetched. */
static enum peer_outcome reply_passing(struct manager_server *server, struct peer *peer, int status, int fd) {
  struct manager_reply reply = status_reply(status);
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
  } passed = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&passed.header), &fd, sizeof(int));
  struct msghdr message = {.msg_iov = &(struct iovec){&reply, sizeof reply}, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = &passed;
    message.msg_controllen = sizeof passed;
  }
  long sent = snarli_system(SYS_sendmsg, peer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 && status != SNARL_PROTOCOL ? PEER_SERVED : leave(server, peer);
}

static enum peer_outcome hello(struct manager_server *server, struct peer *peer,
                               const struct manager_request *request) {
  bool is_known = request->number == MANAGER_PROTOCOL;
  return reply_passing(server, peer, is_known ? SNARL_OK : SNARL_PROTOCOL,
                       is_known && request->version ? server->memory : -1);
}

static const struct manager_kept *kept_of(const struct manager_server *server, struct packed name) {
  const struct manager_kept *kept = server->kept;
  while (kept && !snarli_pack_equal(snarli_manager_view(&kept->name), name))
    kept = kept->next;
  return kept;
}

static enum peer_outcome fetch(struct manager_server *server, struct peer *peer, struct packed name) {
  const struct manager_kept *kept = kept_of(server, name);
  peer->may_offer = !kept;
  return reply_passing(server, peer, kept ? SNARL_OK : SNARL_NOT_FOUND, kept ? kept->fd : -1);
}

static int keep_descriptor(struct manager_server *server, int fd, struct packed name) {
  if (fd < 0)
    return SNARL_NO_DESCRIPTOR;
  if (kept_of(server, name))
    return SNARL_EXISTS;
  struct manager_kept *kept = calloc(1, sizeof *kept);
  if (!kept || !snarli_manager_assign(&kept->name, name)) {
    free(kept);
    return SNARL_NO_MEMORY;
  }
  kept->fd = fd;
  kept->next = server->kept;
  server->kept = kept;
  return SNARL_OK;
}

static enum peer_outcome offer(struct manager_server *server, struct peer *peer, struct packed name) {
  return reply_passing(server, peer, keep_descriptor(server, peer->offered, name), -1);
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
    return leave(server, peer);
  }
  struct packed name = {bytes + sizeof request, size - sizeof request};
  bool is_named = request.key_size == name.size && request.size == size && snarli_pack_is_key(name);
  if (request.operation == MANAGER_FETCH && is_named)
    return fetch(server, peer, name);
  if (request.operation == MANAGER_OFFER && is_named)
    return offer(server, peer, name);
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

/* Who may offer a descriptor is listened to for one; from others the kernel takes none. */
static long receive(struct manager_server *server, struct peer *peer) {
  if (!peer->may_offer)
    return snarli_system(SYS_recvfrom, peer->fd, server->packet, sizeof server->packet, MSG_DONTWAIT | MSG_TRUNC, NULL,
                         NULL);
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
  } control;
  struct msghdr message = {.msg_iov = &(struct iovec){server->packet, sizeof server->packet}, .msg_iovlen = 1};
  message.msg_control = &control;
  message.msg_controllen = CMSG_LEN(sizeof peer->offered); /* the space for one has room for two */
  long size = snarli_system(SYS_recvmsg, peer->fd, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
  const struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof peer->offered))
    memcpy(&peer->offered, CMSG_DATA(header), sizeof peer->offered);
  peer->may_offer &= size < 0;
  return size;
}

enum peer_outcome snarli_peer_receive(struct manager_server *server, struct peer *peer) {
  if (peer->out.size) /* it has not fetched its last reply */
    return PEER_IDLE;
  long size = receive(server, peer);
  if (size == -EAGAIN || size == -EINTR)
    return PEER_IDLE;
  if (size <= 0)
    return leave(server, peer);
  int offered = peer->offered;
  enum peer_outcome outcome = packet(server, peer, (size_t)size);
  bool is_kept = server->kept && server->kept->fd == offered;
  if (offered >= 0 && !is_kept)
    (void)snarli_system(SYS_close, offered);
  if (outcome != PEER_GONE)
    peer->offered = -1;
  return outcome;
}
