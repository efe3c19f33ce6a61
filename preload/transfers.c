/* SPDX-License-Identifier: MIT
 *
 * read, write and their kin. What is no channel costs one look at the table. Of a channel: the request is a row that
 * becomes the outcome in place, so a call that does not block for long costs one row, and one that finds nothing, none.
 * Any thread and signal handler.
 */
#include "transfers.h"
#include "fortified.h"
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

void snarli_transfer_begin(struct snarli_transfer *transfer, int fd, uint32_t entry, unsigned flags, uint64_t asked,
                           uint32_t stack) {
  transfer->fd = fd;
  transfer->entry = entry;
  transfer->flags = flags;
  transfer->record_flags = flags & SNARLI_X_TIMED || entry & SNARLI_D_TIMED ? SNARLI_F_TIMED : 0;
  transfer->is_open = true;
  if (flags & SNARLI_X_NONBLOCK || entry & SNARLI_D_NONBLOCK) {
    snarli_pending_time(&transfer->pending, stack);
    return;
  }
  enum snarli_record_type type =
      flags & SNARLI_X_SEND ? SNARLI_R_CHANNEL_SEND_REQUESTED : SNARLI_R_CHANNEL_RECEIVE_REQUESTED;
  unsigned kind = snarli_kind(entry) - SNARLI_D_CHANNEL;
  asked = kind == SNARLI_C_MESSAGES ? 1 : kind == SNARLI_C_EVENT ? 0 : asked;
  uint64_t head = snarli_record_head(type, transfer->record_flags, snarli_transfer_object((unsigned)fd, asked));
  snarli_pending_begin(&transfer->pending, &head, 1, stack);
}

static uint64_t failed(const struct snarli_transfer *transfer, int error) {
  return snarli_record_head(SNARLI_R_CHANNEL_FAILED, (unsigned)error, (unsigned)transfer->fd);
}

static void succeeded(struct snarli_transfer *transfer, uint64_t amount) {
  uint64_t object = snarli_transfer_object((unsigned)transfer->fd, amount);
  unsigned flags = transfer->record_flags;
  if (transfer->flags & SNARLI_X_SEND)
    snarli_pending_sent(&transfer->pending, snarli_record_head(SNARLI_R_CHANNEL_SENT, flags, object),
                        snarli_record_head(SNARLI_R_CHANNEL_SEND_RETURNED, flags, object));
  else
    snarli_pending_end(&transfer->pending, snarli_record_head(SNARLI_R_CHANNEL_RECEIVED, flags, object));
}

/* The number stands for something else now: another thread closed it meanwhile. */
static bool is_replaced(const struct snarli_transfer *transfer) {
  enum { SAME = ~(uint32_t)(SNARLI_D_COUNT - 1) | SNARLI_D_KIND };
  uint32_t now = snarli_descriptor_peek(transfer->fd);
  return transfer->fd < (int)SNARLI_DESCRIPTOR_QUEUES && snarli_kind(now) != snarli_kind(transfer->entry);
}

void snarli_transfer_end(struct snarli_transfer *transfer, bool is_done, uint64_t amount) {
  int error = is_done ? 0 : errno;
  transfer->is_open = false;
  if (is_done && !is_replaced(transfer) && !(transfer->flags & SNARLI_X_PEEK))
    succeeded(transfer, amount);
  else if (transfer->pending.rows && error && error != EAGAIN)
    snarli_pending_end(&transfer->pending, failed(transfer, error));
  else
    snarli_pending_drop(&transfer->pending, failed(transfer, error));
}

void snarli_transfer_cancelled(struct snarli_transfer *transfer) {
  if (transfer->is_open && transfer->pending.rows)
    snarli_pending_end(&transfer->pending, failed(transfer, ECANCELED));
}

uint64_t snarli_transfer_moved(uint32_t entry, uint64_t result, const void *data) {
  uint64_t number = 0;
  if (snarli_kind(entry) == SNARLI_D_CHANNEL + SNARLI_C_MESSAGES)
    return result > 0;
  if (snarli_kind(entry) != SNARLI_D_CHANNEL + SNARLI_C_EVENT)
    return result;
  if (data && result == sizeof number)
    memcpy(&number, data, sizeof number);
  return data ? number : SNARLI_AMOUNT_MOST;
}

/* How much a call asks for, its own flags, and where the number of an eventfd lies. Nothing of the program's memory is
 * looked at before the call: the kernel may find that it is not there. */
#define ASKED(asked, flags, data) (uint64_t)(asked), (flags), (data)
#define X_OF_MSG(flags) (((flags)&MSG_DONTWAIT ? SNARLI_X_NONBLOCK : 0u) | ((flags)&MSG_PEEK ? SNARLI_X_PEEK : 0u))
#define CALL_read ASKED(size, 0u, buffer)
#define CALL___read_chk ASKED(size, 0u, buffer)
#define CALL_readv ASKED(SNARLI_AMOUNT_MOST, 0u, NULL)
#define CALL_recv ASKED(size, X_OF_MSG(flags), NULL)
#define CALL___recv_chk ASKED(size, X_OF_MSG(flags), NULL)
#define CALL_recvfrom ASKED(size, X_OF_MSG(flags), NULL)
#define CALL___recvfrom_chk ASKED(size, X_OF_MSG(flags), NULL)
#define CALL_eventfd_read ASKED(8, 0u, value)
#define CALL_write ASKED(size, 0u, buffer)
#define CALL_writev ASKED(SNARLI_AMOUNT_MOST, 0u, NULL)
#define CALL_send ASKED(size, X_OF_MSG(flags), NULL)
#define CALL_sendto ASKED(size, X_OF_MSG(flags), NULL)
#define CALL_eventfd_write ASKED(8, 0u, &value)

struct call {
  uint64_t asked;
  unsigned flags;
  const void *data;
};

/* Both eventfd functions return 0. */
#define IS_EVENTFD(name) (sizeof(#name) > 7 && #name[0] == 'e' && #name[1] == 'v')

#define BODY_TRANSFER(direction, ret, name, params, args)                                                              \
  SNARLI_EXPORT ret name params {                                                                                      \
    if (snarli_is_plain(fd))                                                                                           \
      return snarli_real()->name args;                                                                                 \
    uint32_t entry = snarli_descriptor(fd);                                                                            \
    if (!snarli_is_channel(entry) || !snarli_is_recording())                                                           \
      return snarli_real()->name args;                                                                                 \
    struct call call = {CALL_##name};                                                                                  \
    if (!call.asked)                                                                                                   \
      return snarli_real()->name args;                                                                                 \
    SNARLI_TRANSFER transfer;                                                                                          \
    snarli_transfer_begin(&transfer, fd, entry, call.flags | (direction), call.asked, SNARLI_STACK);                   \
    ret result = snarli_real()->name args;                                                                             \
    uint64_t bytes = IS_EVENTFD(name) ? 8 : (uint64_t)result;                                                          \
    snarli_transfer_end(&transfer, result >= 0, result < 0 ? 0 : snarli_transfer_moved(entry, bytes, call.data));      \
    return result;                                                                                                     \
  }
#define BODY_RECEIVE(result, object, ret, name, params, args) BODY_TRANSFER(0u, ret, name, params, args)
#define BODY_SEND(result, object, ret, name, params, args)                                                             \
  BODY_TRANSFER((unsigned)SNARLI_X_SEND, ret, name, params, args)
#define BODY_LOCK(result, object, ret, name, params, args)
#define BODY_TRY(result, object, ret, name, params, args)
#define BODY_TIMED(result, object, ret, name, params, args)
#define BODY_UNLOCK(result, object, ret, name, params, args)
#define BODY_DESTROY(result, object, ret, name, params, args)
#define BODY_OPEN(result, object, ret, name, params, args)
#define BODY_MANUAL(result, object, ret, name, params, args)
#define WRAP(body, result, object, ret, name, params, args, version)                                                   \
  BODY_##body(result, object, ret, name, params, args)
#include "wrapped.def"
