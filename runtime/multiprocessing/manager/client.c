/* SPDX-License-Identifier: MIT
 *
 * Requests to a manager's server (see client.h). `guard` protects the managers of this process and their idle
 * connections; a connection that is in use is its thread's. Entered by any thread.
 */
#include "client.h"
#include "core/system.h"
#include "server.h"
#include "spin.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint32_t guard;
static LIST_HEAD(, snarli_manager) all = LIST_HEAD_INITIALIZER(all);

struct snarli_manager *snarli_manager_inside_new(const char *address) {
  struct snarli_manager *inside = calloc(1, sizeof *inside);
  if (!inside)
    return NULL;
  inside->region.fd = -1;
  (void)strncpy(inside->address, address, sizeof inside->address - 1);
  snarli_guard(&guard);
  LIST_INSERT_HEAD(&all, inside, link);
  snarli_unguard(&guard);
  return inside;
}

static void connection_free(struct manager_connection *connection) {
  (void)snarli_system(SYS_close, connection->fd);
  snarli_pack_free(&connection->buffer);
  free(connection);
}

/* The guard is held, or nobody else is here. */
static void connections_free(struct snarli_manager *inside) {
  for (struct manager_connection *each = LIST_FIRST(&inside->connections), *next; each; each = next) {
    next = LIST_NEXT(each, link);
    connection_free(each);
  }
  LIST_INIT(&inside->connections);
  inside->idle = NULL;
}

void snarli_manager_inside_free(struct snarli_manager *inside) {
  snarli_guard(&guard);
  LIST_REMOVE(inside, link);
  connections_free(inside);
  snarli_unguard(&guard);
  snarli_region_leave(&inside->region);
  free(inside);
}

/* Whoever has taken the address may be another user. */
static bool is_ours(int fd) {
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t size = sizeof peer;
  return !snarli_system(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid();
}

static int connect_to(const char *name, int *fd) {
  struct sockaddr_un address;
  unsigned length = snarli_manager_socket_address(name, &address);
  *fd = (int)snarli_system(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (*fd < 0)
    return *fd == -EMFILE || *fd == -ENFILE ? SNARL_NO_DESCRIPTOR : SNARL_NO_MEMORY;
  long error;
  do
    error = snarli_system(SYS_connect, *fd, &address, length);
  while (error == -EINTR);
  int status = error == -ECONNREFUSED || error == -ENOENT ? SNARL_MANAGER_GONE
               : error == -ENOMEM                         ? SNARL_NO_MEMORY
               : error || !is_ours(*fd)                   ? SNARL_DENIED
                                                          : SNARL_OK;
  if (status)
    (void)snarli_system(SYS_close, *fd);
  return status;
}

static int connection_new(struct snarli_manager *inside, struct manager_connection **made) {
  struct manager_connection *connection = calloc(1, sizeof *connection);
  if (!connection)
    return SNARL_NO_MEMORY;
  int status = connect_to(inside->address, &connection->fd);
  if (status) {
    free(connection);
    return status;
  }
  snarli_guard(&guard);
  LIST_INSERT_HEAD(&inside->connections, connection, link);
  snarli_unguard(&guard);
  *made = connection;
  return SNARL_OK;
}

static int borrow(struct snarli_manager *inside, struct manager_connection **connection) {
  snarli_guard(&guard);
  *connection = inside->idle;
  if (inside->idle) {
    inside->idle->is_idle = false;
    inside->idle = inside->idle->next;
  }
  snarli_unguard(&guard);
  return *connection ? SNARL_OK : connection_new(inside, connection);
}

union passed {
  char bytes[CMSG_SPACE(sizeof(int))];
  struct cmsghdr header;
};

/* `give`: a descriptor, -1: none. */
static bool send_packet(int fd, struct iovec *parts, int count, int give) {
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
  union passed passed = {.header = {CMSG_LEN(sizeof give), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&passed.header), &give, sizeof give);
  if (give >= 0) {
    message.msg_control = &passed;
    message.msg_controllen = sizeof passed;
  }
  long sent;
  do
    sent = snarli_system(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
  while (sent == -EINTR || sent == -ENOBUFS);
  return sent > 0;
}

/* In packets, the parts one after another. False: there is nobody; perhaps a last word waits. */
static bool send_all(int fd, struct iovec *parts, int count, int give) {
  struct iovec piece[4];
  int taken = 0, part = 0;
  for (size_t room = MANAGER_PACKET; part < count;) {
    size_t size = parts[part].iov_len < room ? parts[part].iov_len : room;
    piece[taken++] = (struct iovec){parts[part].iov_base, size};
    parts[part].iov_base = (char *)parts[part].iov_base + size;
    parts[part].iov_len -= size;
    room -= size;
    part += !parts[part].iov_len;
    if (room && part < count)
      continue;
    if (!send_packet(fd, piece, taken, give))
      return false;
    taken = 0;
    room = MANAGER_PACKET;
  }
  return true;
}

static bool send_request(struct manager_call *call, int give) {
  struct manager_request *request = &call->request;
  request->size = (uint32_t)(sizeof *request + call->key.size + call->given.size + call->second.size);
  request->key_size = (uint32_t)call->key.size;
  request->processor = manager_processor();
  struct iovec parts[4] = {{request, sizeof *request}};
  const struct packed *behind[] = {&call->key, &call->given, &call->second};
  int count = 1;
  for (int i = 0; i < 3; i++)
    if (behind[i]->size)
      parts[count++] = (struct iovec){(void *)(uintptr_t)behind[i]->bytes, behind[i]->size};
  return send_all(call->connection->fd, parts, count, give);
}

static __thread struct manager_spin spin __attribute__((tls_model("initial-exec"))) = {MANAGER_LOOKS_LEAST, 0};

/* A server that has left before it took our request resets us first and lets us have its last word then. */
static long recv_blocking(int fd, void *bytes, size_t room) {
  long size;
  bool was_reset = false;
  for (;;) {
    size = snarli_system(SYS_recvfrom, fd, bytes, room, MSG_TRUNC, NULL, NULL);
    if (size != -EINTR && (size != -ECONNRESET || was_reset))
      return size;
    was_reset |= size == -ECONNRESET;
  }
}

static long recv_packet(struct manager_connection *connection, void *bytes, size_t room) {
  uint32_t looks = manager_looks(&spin, connection->processor);
  long size = -EAGAIN;
  for (uint32_t i = 0; i < looks && size == -EAGAIN; i++)
    size = snarli_system(SYS_recvfrom, connection->fd, bytes, room, MSG_DONTWAIT | MSG_TRUNC, NULL, NULL);
  if (looks)
    manager_looked(&spin, size != -EAGAIN);
  return size == -EAGAIN || size == -EINTR || size == -ECONNRESET ? recv_blocking(connection->fd, bytes, room) : size;
}

/* A first packet, which says how long the reply is, and the rest of it. */
static int recv_reply(struct manager_call *call) {
  struct manager_connection *connection = call->connection;
  struct packed_buffer *buffer = &connection->buffer;
  buffer->size = 0;
  if (!snarli_pack_room(buffer, MANAGER_FIRST))
    return SNARL_NO_MEMORY;
  long size = recv_packet(connection, buffer->bytes, MANAGER_FIRST);
  if (size <= 0)
    return SNARL_MANAGER_GONE;
  if ((size_t)size < sizeof call->reply || size > MANAGER_FIRST)
    return SNARL_PROTOCOL;
  memcpy(&call->reply, buffer->bytes, sizeof call->reply);
  buffer->size = (size_t)size;
  connection->processor = call->reply.processor;
  if (call->reply.size < buffer->size || call->reply.size > MANAGER_MOST)
    return SNARL_PROTOCOL;
  if (!snarli_pack_room(buffer, call->reply.size - buffer->size))
    return SNARL_NO_MEMORY;
  while (buffer->size < call->reply.size) {
    size = recv_packet(connection, buffer->bytes + buffer->size, call->reply.size - buffer->size);
    if (size <= 0 || (size_t)size > call->reply.size - buffer->size)
      return size <= 0 ? SNARL_MANAGER_GONE : SNARL_PROTOCOL;
    buffer->size += (size_t)size;
  }
  call->value = (struct packed){buffer->bytes + sizeof call->reply, buffer->size - sizeof call->reply};
  return SNARL_OK;
}

static void leave(struct manager_call *call) {
  snarli_guard(&guard);
  LIST_REMOVE(call->connection, link);
  snarli_unguard(&guard);
  connection_free(call->connection);
  call->connection = NULL;
}

/* What the server says last, it says although nothing was asked. */
static bool is_last_word(int status) {
  return status == SNARL_PROTOCOL || status == SNARL_DENIED || status == SNARL_NO_DESCRIPTOR;
}

int snarli_manager_call(struct snarli_manager *inside, struct manager_call *call) {
  size_t size = sizeof call->request + call->key.size + call->given.size + call->second.size;
  call->connection = NULL;
  int status = size > MANAGER_MOST ? SNARL_TOO_LARGE : borrow(inside, &call->connection);
  if (status)
    return status;
  bool is_sent = send_request(call, -1);
  status = recv_reply(call);
  if (!status && !(is_sent || is_last_word(call->reply.status)))
    status = SNARL_MANAGER_GONE;
  if (!status && !is_last_word(call->reply.status))
    return call->reply.status;
  leave(call);
  return status ? status : call->reply.status;
}

int snarli_manager_tell(struct snarli_manager *inside, enum manager_operation operation) {
  struct manager_call call = {.request.operation = (uint8_t)operation};
  int status = borrow(inside, &call.connection);
  if (status)
    return status;
  status = send_request(&call, -1) ? SNARL_OK : SNARL_MANAGER_GONE;
  leave(&call);
  return status;
}

enum { BUFFER_KEPT = 256 << 10 };

void snarli_manager_done(struct snarli_manager *inside, struct manager_call *call) {
  struct manager_connection *connection = call->connection;
  if (!connection)
    return;
  if (connection->buffer.room > BUFFER_KEPT)
    snarli_pack_free(&connection->buffer);
  snarli_guard(&guard);
  connection->next = inside->idle;
  inside->idle = connection;
  connection->is_idle = true;
  snarli_unguard(&guard);
}

static int recv_passing(int fd, struct manager_reply *reply, int *taken) {
  union passed passed;
  struct msghdr message = {.msg_iov = &(struct iovec){reply, sizeof *reply}, .msg_iovlen = 1};
  message.msg_control = &passed;
  message.msg_controllen = CMSG_LEN(sizeof *taken); /* the space for one has room for two */
  long size;
  do
    size = snarli_system(SYS_recvmsg, fd, &message, MSG_CMSG_CLOEXEC);
  while (size == -EINTR);
  const struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof *taken))
    memcpy(taken, CMSG_DATA(header), sizeof *taken);
  if (size <= 0)
    return SNARL_MANAGER_GONE;
  return size == sizeof *reply ? reply->status : SNARL_PROTOCOL;
}

int snarli_manager_pass(struct snarli_manager *inside, struct manager_call *call, int give, int *taken) {
  *taken = -1;
  int status = borrow(inside, &call->connection);
  if (status)
    return status;
  (void)send_request(call, give);
  status = recv_passing(call->connection->fd, &call->reply, taken);
  if (status == SNARL_MANAGER_GONE || is_last_word(status))
    leave(call);
  else
    snarli_manager_done(inside, call);
  return status;
}

int snarli_manager_greet(struct snarli_manager *inside) {
  struct manager_call call = {.request = {.operation = MANAGER_HELLO, .number = MANAGER_PROTOCOL, .version = 1}};
  int passed, status = snarli_manager_pass(inside, &call, -1, &passed);
  if (!status)
    status = passed < 0 ? SNARL_NO_DESCRIPTOR : snarli_region_attach(&inside->region, passed);
  else if (passed >= 0)
    (void)snarli_system(SYS_close, passed);
  snarli_region_close(&inside->region);
  return status;
}

void snarli_managers_before_fork(void) { snarli_guard(&guard); }
void snarli_managers_after_fork(void) { snarli_unguard(&guard); }

/* Both would speak by one connection. One in use was another thread's, which is not here to say whether its memory has
 * just been given back: that stays. */
static void connections_forget(struct snarli_manager *inside) {
  struct manager_connection *each;
  LIST_FOREACH(each, &inside->connections, link)
  if (!each->is_idle)
    (void)snarli_system(SYS_close, each->fd);
  for (struct manager_connection *next; (each = inside->idle); inside->idle = next) {
    next = each->next;
    connection_free(each);
  }
  LIST_INIT(&inside->connections);
}

void snarli_managers_in_child(void) {
  struct snarli_manager *inside;
  guard = 0;
  LIST_FOREACH(inside, &all, link)
  connections_forget(inside);
}
