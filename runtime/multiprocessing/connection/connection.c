/* SPDX-License-Identifier: MIT
 *
 * Connections: messages over a stream, each behind its size. What goes through is in the trace as it is of any channel,
 * in bytes, so that the analyzer sees who waits for whom and what comes after what. Entered by any thread.
 */
#include "core/system.h"
#include "end.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int check(const snarl_connection *connection, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)connection, SNARLI_ALIVE(CONNECTION), site);
}

int snarl_pipe_at(snarl_connection *first, snarl_connection *second, const char *name, enum snarl_pipe_kind kind,
                  struct snarl_site *site) {
  if (!first || !second || first == second || (kind != SNARL_SIMPLEX && kind != SNARL_DUPLEX))
    return snarli_refuse(SNARL_INVALID, first, site);
  struct snarli_pipe_end *ends[2];
  int status = snarli_ends_make(ends, kind, snarli_records() ? snarli_place(site) : 0);
  if (status)
    return status;
  first->end = ends[0];
  second->end = ends[1];
  (void)snarli_object_begin(&first->object, SNARLI_ALIVE(CONNECTION), name, site);
  return snarli_object_begin(&second->object, SNARLI_ALIVE(CONNECTION), name, site);
}

/* A call that sends or receives: for what, for how long, and what is in the trace of it. */
struct transfer {
  struct snarli_pipe_end *end;
  bool is_send, is_recorded;
  uint64_t asked, moved; /* bytes */
  snarl_time timeout;
  int64_t deadline;
  struct snarl_site *site;
  struct snarli_pending pending;
  int fd;
};

static uint64_t head_of(const struct transfer *transfer, enum snarli_record_type type, uint64_t amount) {
  unsigned flags = transfer->timeout != SNARL_FOREVER ? SNARLI_F_TIMED : 0;
  return snarli_record_head(type, flags, snarli_transfer_object((unsigned)transfer->fd, amount));
}

static void record_begin(struct transfer *transfer) {
  transfer->fd = transfer->end->fd;
  transfer->is_recorded = snarli_records() && transfer->fd >= 0;
  if (!transfer->is_recorded)
    return;
  uint32_t place = snarli_place(transfer->site);
  uint64_t head =
      head_of(transfer, transfer->is_send ? SNARLI_R_CHANNEL_SEND_REQUESTED : SNARLI_R_CHANNEL_RECEIVE_REQUESTED,
              transfer->asked);
  if (transfer->timeout <= 0)
    snarli_pending_time(&transfer->pending, place);
  else
    snarli_pending_begin(&transfer->pending, &head, 1, place);
}

/* A status of SNARL_CLOSED: nobody is at the other side. */
static void record_end(struct transfer *transfer, int status) {
  if (!transfer->is_recorded)
    return;
  uint64_t moved = transfer->moved;
  bool is_over = status == SNARL_CLOSED;
  if (transfer->is_send && moved)
    snarli_pending_sent(&transfer->pending, head_of(transfer, SNARLI_R_CHANNEL_SENT, moved),
                        head_of(transfer, SNARLI_R_CHANNEL_SEND_RETURNED, moved));
  else if (moved || (is_over && !transfer->is_send))
    snarli_pending_end(&transfer->pending, head_of(transfer, SNARLI_R_CHANNEL_RECEIVED, moved));
  else
    snarli_pending_drop(&transfer->pending,
                        snarli_record_head(SNARLI_R_CHANNEL_FAILED, is_over ? EPIPE : (unsigned)snarli_errno_of(status),
                                           (unsigned)transfer->fd));
}

static uint32_t *guard_of(struct transfer *transfer) {
  return transfer->is_send ? &transfer->end->sending : &transfer->end->receiving;
}

/* Another thread may be there for long. */
static bool wait_turn(struct transfer *transfer) {
  uint32_t *guard = guard_of(transfer);
  while (snarli_swap(guard, 2))
    if (!snarli_park(guard, 2, transfer->deadline))
      return false;
  return true;
}

/* Begins as the only thread in this direction. The order of the records is that of the bytes: what was recorded while
 * another thread was there is taken back. False: the time was over. */
static bool transfer_begin(struct transfer *transfer) {
  uint32_t free = 0;
  bool is_ours = snarli_cas(guard_of(transfer), &free, 1);
  transfer->deadline = snarli_deadline(transfer->timeout);
  record_begin(transfer);
  if (is_ours)
    return true;
  bool is_our_turn = wait_turn(transfer);
  record_end(transfer, is_our_turn ? SNARL_OK : SNARL_TIMEOUT);
  if (is_our_turn)
    record_begin(transfer);
  return is_our_turn;
}

static void transfer_end(struct transfer *transfer, int status) {
  record_end(transfer, status);
  snarli_unguard(guard_of(transfer));
}

/* Until something goes through, at least. */
static int await(const struct transfer *transfer) {
  if (transfer->fd < 0)
    return SNARL_CLOSED;
  struct pollfd polled = {.fd = transfer->fd, .events = transfer->is_send ? POLLOUT : POLLIN};
  long ready = transfer->deadline == SNARLI_NEVER ? 1 : snarli_poll(&polled, 1, transfer->deadline);
  return ready > 0 ? SNARL_OK : ready ? SNARL_NO_MEMORY : SNARL_TIMEOUT;
}

/* A descriptor that goes along with a message, as the kernel wants it. */
union passed {
  char bytes[CMSG_SPACE(sizeof(int))];
  struct cmsghdr header;
};

/* In place of a size: the message is a descriptor. */
#define IS_DESCRIPTOR UINT64_MAX

/* All of it, or until nobody is there to take it. */
static int send_all(struct transfer *transfer, struct msghdr *message) {
  struct iovec *parts = message->msg_iov;
  while (parts[0].iov_len || parts[1].iov_len) {
    long sent = snarli_system(SYS_sendmsg, transfer->fd, message, MSG_NOSIGNAL);
    if (sent == -EINTR || sent == -ENOBUFS || sent == -ENOMEM)
      continue;
    if (sent < 0)
      return sent == -EBADF || sent == -ETOOMANYREFS ? SNARL_INVALID : SNARL_CLOSED;
    message->msg_controllen = 0; /* it went with the first byte */
    transfer->moved += (uint64_t)sent;
    for (int i = 0; i < 2; i++) {
      size_t part = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
      parts[i].iov_base = (char *)parts[i].iov_base + part;
      parts[i].iov_len -= part;
      sent -= (long)part;
    }
  }
  return SNARL_OK;
}

static int send_message(struct transfer *transfer, struct msghdr *message) {
  if (!transfer_begin(transfer))
    return SNARL_TIMEOUT;
  int status = await(transfer);
  if (!status)
    status = send_all(transfer, message);
  transfer_end(transfer, status);
  return status;
}

static int check_sender(const snarl_connection *connection, bool is_valid, struct snarl_site *site) {
  int status = check(connection, site);
  return !status && !(is_valid && connection->end->may_send) ? snarli_refuse(SNARL_INVALID, connection, site) : status;
}

int snarl_connection_send_at(snarl_connection *connection, const void *bytes, size_t size, snarl_time timeout,
                             struct snarl_site *site) {
  int status = check_sender(connection, (bytes || !size) && size <= INT64_MAX, site);
  if (status)
    return status;
  uint64_t header = size;
  struct iovec parts[] = {{&header, sizeof header}, {(void *)(uintptr_t)bytes, size}};
  struct transfer transfer = {.end = connection->end, .is_send = true, .asked = sizeof header + size};
  transfer.timeout = timeout;
  transfer.site = site;
  return send_message(&transfer, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 2});
}

int snarl_connection_send_descriptor_at(snarl_connection *connection, int fd, snarl_time timeout,
                                        struct snarl_site *site) {
  int status = check_sender(connection, fd >= 0, site);
  if (status)
    return status;
  uint64_t header = IS_DESCRIPTOR;
  struct iovec parts[] = {{&header, sizeof header}, {NULL, 0}};
  union passed passed = {.header = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&passed.header), &fd, sizeof fd);
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = &passed, .msg_controllen = sizeof passed};
  struct transfer transfer = {.end = connection->end, .is_send = true, .asked = sizeof header};
  transfer.timeout = timeout;
  transfer.site = site;
  if (snarli_records()) /* before the other side can have it */
    snarli_record_aux(SNARLI_R_CHANNEL_PASSED, 0, (unsigned)fd, snarli_place(site));
  return send_message(&transfer, &message);
}

/* That many bytes. SNARL_CLOSED: there are none any more; SNARL_TORN: there were some. */
static int recv_all(struct transfer *transfer, void *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    union passed passed;
    struct iovec part = {(char *)bytes + done, size - done};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &passed};
    message.msg_controllen = CMSG_LEN(sizeof(int)); /* the space for one has room for two */
    long got = snarli_system(SYS_recvmsg, transfer->fd, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
    if (got == -EINTR)
      continue;
    if (got <= 0)
      return done ? SNARL_TORN : SNARL_CLOSED;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof transfer->end->passed))
      memcpy(&transfer->end->passed, CMSG_DATA(header), sizeof transfer->end->passed);
    done += (size_t)got;
    transfer->moved += (uint64_t)got;
  }
  return SNARL_OK;
}

/* What comes next is known in the end; SNARL_OK then. */
static int recv_size(struct transfer *transfer) {
  struct snarli_pipe_end *end = transfer->end;
  int status = end->has_size && end->fd >= 0 ? SNARL_OK : await(transfer);
  if (status || end->has_size)
    return status;
  end->passed = -1;
  status = recv_all(transfer, &end->size, sizeof end->size);
  end->has_size = !status;
  return status;
}

/* Where a message goes to: into `room` bytes, or memory of its own. */
struct place {
  void *bytes;
  size_t room;
  bool is_new;
};

static int recv_message(struct transfer *transfer, struct place *place) {
  struct snarli_pipe_end *end = transfer->end;
  int status = recv_size(transfer);
  if (status)
    return status;
  if (end->size == IS_DESCRIPTOR)
    return SNARL_INVALID;
  if (end->size > place->room)
    return SNARL_TOO_LARGE;
  if (place->is_new && !(place->bytes = malloc((size_t)end->size + 1)))
    return SNARL_NO_MEMORY;
  status = recv_all(transfer, place->bytes, (size_t)end->size);
  end->has_size = false;
  if (status && place->is_new)
    free(place->bytes);
  return status ? SNARL_TORN : SNARL_OK;
}

static int check_receiver(const snarl_connection *connection, bool is_valid, struct snarl_site *site) {
  int status = check(connection, site);
  return !status && !(is_valid && connection->end->may_recv) ? snarli_refuse(SNARL_INVALID, connection, site) : status;
}

static int64_t recv_to(snarl_connection *connection, struct place *place, snarl_time timeout, struct snarl_site *site) {
  int status = check_receiver(connection, place->is_new || place->bytes || !place->room, site);
  if (status)
    return status;
  struct transfer transfer = {.end = connection->end, .asked = SNARLI_AMOUNT_MOST, .timeout = timeout, .site = site};
  if (!transfer_begin(&transfer))
    return SNARL_TIMEOUT;
  status = recv_message(&transfer, place);
  int64_t size = (int64_t)connection->end->size;
  transfer_end(&transfer, status);
  return status ? status : size;
}

int snarl_connection_recv_descriptor_at(snarl_connection *connection, snarl_time timeout, struct snarl_site *site) {
  int status = check_receiver(connection, true, site);
  if (status)
    return status;
  struct snarli_pipe_end *end = connection->end;
  struct transfer transfer = {.end = end, .asked = SNARLI_AMOUNT_MOST, .timeout = timeout, .site = site};
  if (!transfer_begin(&transfer))
    return SNARL_TIMEOUT;
  status = recv_size(&transfer);
  if (!status && end->size != IS_DESCRIPTOR)
    status = SNARL_INVALID;
  if (!status) {
    end->has_size = false;
    status = end->passed >= 0 ? end->passed : SNARL_NO_DESCRIPTOR; /* the kernel found no number for it */
    end->passed = -1;
  }
  transfer_end(&transfer, status < 0 ? status : SNARL_OK);
  return status;
}

int64_t snarl_connection_recv_into_at(snarl_connection *connection, void *bytes, size_t room, snarl_time timeout,
                                      struct snarl_site *site) {
  struct place place = {bytes, room, false};
  return recv_to(connection, &place, timeout, site);
}

int64_t snarl_connection_recv_at(snarl_connection *connection, void **message, size_t most, snarl_time timeout,
                                 struct snarl_site *site) {
  if (!message)
    return snarli_refuse(SNARL_INVALID, connection, site);
  struct place place = {NULL, most < INT64_MAX ? most : INT64_MAX, true};
  int64_t size = recv_to(connection, &place, timeout, site);
  if (size >= 0) {
    ((char *)place.bytes)[size] = 0;
    *message = place.bytes;
  }
  return size;
}

int snarl_connection_close_at(snarl_connection *connection, struct snarl_site *site) {
  int status = check(connection, site);
  if (status)
    return status;
  snarli_end_close(connection->end, snarli_records() ? snarli_place(site) : 0);
  snarli_object_end(&connection->object);
  snarli_end_free(connection->end);
  return SNARL_OK;
}

int snarl_connection_give(snarl_connection *connection, const snarl_process *process) {
  int status = check(connection, NULL);
  if (!status)
    connection->end->owner = process;
  return status;
}

int snarl_connection_fileno(const snarl_connection *connection) {
  int status = check(connection, NULL);
  return status ? status : connection->end->fd < 0 ? SNARL_CLOSED : connection->end->fd;
}
