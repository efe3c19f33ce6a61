/* SPDX-License-Identifier: MIT
 *
 * Transfers that need more than one look: those with a message header, which may carry descriptors, and those between
 * two descriptors. Any thread and signal handler.
 */
#include "transfers.h"
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static inline unsigned flags_of(int flags) {
  return (flags & MSG_DONTWAIT ? SNARLI_X_NONBLOCK : 0u) | (flags & MSG_PEEK ? SNARLI_X_PEEK : 0u);
}

/* Calls `visit` for each descriptor that the message carries. */
static void each_passed(const struct msghdr *message, void (*visit)(int fd, uint32_t stack), uint32_t stack) {
  struct msghdr copy = *message;
  if (!copy.msg_control)
    return;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&copy); part; part = CMSG_NXTHDR(&copy, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
      continue;
    for (size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
      int fd;
      memcpy(&fd, (const char *)part + at, sizeof fd);
      visit(fd, stack);
    }
  }
}

/* Somebody who is not known may hold it from now on. */
static void passed(int fd, uint32_t stack) {
  if (snarli_is_channel(snarli_descriptor(fd)))
    snarli_record_aux(SNARLI_R_CHANNEL_PASSED, 0, (unsigned)fd, stack);
}

static void arrived(int fd, uint32_t stack) {
  (void)stack;
  snarli_descriptor_forget(fd);
}

static uint64_t amount_of(uint32_t entry, long result) {
  return snarli_transfer_moved(entry, result > 0 ? (uint64_t)result : 0, NULL);
}

static uint64_t amount_of_all(uint32_t entry, const struct mmsghdr *messages, int count) {
  uint64_t amount = 0;
  for (int i = 0; i < count; i++)
    amount += snarli_transfer_moved(entry, messages[i].msg_len, NULL);
  return amount;
}

/* Through what is no channel, too, descriptors may be passed. */
static inline bool may_carry(ssize_t result, const struct msghdr *message) {
  return __builtin_expect(result >= 0 && message->msg_control, 0) && snarli_is_recording();
}

SNARLI_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  if (snarli_is_plain(fd)) {
    ssize_t sent = snarli_real()->sendmsg(fd, message, flags);
    if (may_carry(sent, message))
      each_passed(message, passed, SNARLI_STACK);
    return sent;
  }
  if (!snarli_is_recording())
    return snarli_real()->sendmsg(fd, message, flags);
  uint32_t entry = snarli_descriptor(fd), stack = SNARLI_STACK;
  SNARLI_TRANSFER transfer = {0};
  if (snarli_is_channel(entry))
    snarli_transfer_begin(&transfer, fd, entry, SNARLI_X_SEND | flags_of(flags), SNARLI_AMOUNT_MOST, stack);
  ssize_t result = snarli_real()->sendmsg(fd, message, flags);
  if (transfer.is_open)
    snarli_transfer_end(&transfer, result >= 0, amount_of(entry, result));
  if (may_carry(result, message))
    each_passed(message, passed, stack);
  return result;
}

SNARLI_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  if (snarli_is_plain(fd)) {
    ssize_t received = snarli_real()->recvmsg(fd, message, flags);
    if (may_carry(received, message))
      each_passed(message, arrived, 0);
    return received;
  }
  if (!snarli_is_recording())
    return snarli_real()->recvmsg(fd, message, flags);
  uint32_t entry = snarli_descriptor(fd);
  SNARLI_TRANSFER transfer = {0};
  if (snarli_is_channel(entry))
    snarli_transfer_begin(&transfer, fd, entry, flags_of(flags), SNARLI_AMOUNT_MOST, SNARLI_STACK);
  ssize_t result = snarli_real()->recvmsg(fd, message, flags);
  if (transfer.is_open)
    snarli_transfer_end(&transfer, result >= 0, amount_of(entry, result));
  if (may_carry(result, message))
    each_passed(message, arrived, 0);
  return result;
}

SNARLI_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  if (!snarli_is_recording())
    return snarli_real()->sendmmsg(fd, messages, count, flags);
  uint32_t entry = snarli_descriptor(fd), stack = SNARLI_STACK;
  SNARLI_TRANSFER transfer = {0};
  if (snarli_is_channel(entry))
    snarli_transfer_begin(&transfer, fd, entry, SNARLI_X_SEND | flags_of(flags), SNARLI_AMOUNT_MOST, stack);
  int result = snarli_real()->sendmmsg(fd, messages, count, flags);
  if (transfer.is_open)
    snarli_transfer_end(&transfer, result >= 0, amount_of_all(entry, messages, result));
  for (int i = 0; i < result; i++)
    each_passed(&messages[i].msg_hdr, passed, stack);
  return result;
}

SNARLI_EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->recvmmsg(fd, messages, count, flags, end);
  uint32_t entry = snarli_descriptor(fd);
  SNARLI_TRANSFER transfer = {0};
  if (snarli_is_channel(entry))
    snarli_transfer_begin(&transfer, fd, entry, flags_of(flags) | (end ? SNARLI_X_TIMED : 0u), SNARLI_AMOUNT_MOST,
                          SNARLI_STACK);
  int result = snarli_real()->recvmmsg(fd, messages, count, flags, end);
  if (transfer.is_open)
    snarli_transfer_end(&transfer, result >= 0, amount_of_all(entry, messages, result));
  for (int i = 0; i < result; i++)
    each_passed(&messages[i].msg_hdr, arrived, 0);
  return result;
}

/* From one descriptor to another: it waits for the one that is a channel. If both are, it may wait for either, and no
 * request is written: the thread counts as running. */
struct between {
  struct snarli_transfer in, out;
};

static void between_cancelled(struct between *between) {
  snarli_transfer_cancelled(&between->in);
  snarli_transfer_cancelled(&between->out);
}

static void between_begin(struct between *between, int in, int out, unsigned flags, uint64_t asked, uint32_t stack) {
  uint32_t from = snarli_descriptor(in), to = snarli_descriptor(out);
  if (snarli_is_channel(from) && snarli_is_channel(to))
    flags |= SNARLI_X_NONBLOCK;
  if (snarli_is_channel(from))
    snarli_transfer_begin(&between->in, in, from, flags, asked, stack);
  if (snarli_is_channel(to))
    snarli_transfer_begin(&between->out, out, to, (flags & ~(unsigned)SNARLI_X_PEEK) | SNARLI_X_SEND, asked, stack);
}

static void between_end(struct between *between, ssize_t result) {
  if (between->out.is_open)
    snarli_transfer_end(&between->out, result > 0, result > 0 ? (uint64_t)result : 0);
  if (between->in.is_open)
    snarli_transfer_end(&between->in, result >= 0, result > 0 ? (uint64_t)result : 0);
}

#define BETWEEN(ret, name, params, args, in_, out_, flags_, asked_)                                                    \
  SNARLI_EXPORT ret name params {                                                                                      \
    if ((snarli_is_plain(in_) && snarli_is_plain(out_)) || !(asked_) || !snarli_is_recording())                        \
      return snarli_real()->name args;                                                                                 \
    __attribute__((cleanup(between_cancelled))) struct between between = {0};                                          \
    between_begin(&between, in_, out_, flags_, asked_, SNARLI_STACK);                                                  \
    ret result = snarli_real()->name args;                                                                             \
    between_end(&between, result);                                                                                     \
    return result;                                                                                                     \
  }

#define X_OF_SPLICE(flags) ((flags)&SPLICE_F_NONBLOCK ? SNARLI_X_NONBLOCK : 0u)
BETWEEN(ssize_t, splice, (int in, off64_t *in_at, int out, off64_t *out_at, size_t size, unsigned flags),
        (in, in_at, out, out_at, size, flags), in, out, X_OF_SPLICE(flags), size)
BETWEEN(ssize_t, tee, (int in, int out, size_t size, unsigned flags), (in, out, size, flags), in, out,
        X_OF_SPLICE(flags) | SNARLI_X_PEEK, size)
BETWEEN(ssize_t, sendfile, (int out, int in, off_t *at, size_t size), (out, in, at, size), in, out, 0u, size)
BETWEEN(ssize_t, sendfile64, (int out, int in, off64_t *at, size_t size), (out, in, at, size), in, out, 0u, size)

/* Into the end that sends, or out of the one that receives. */
SNARLI_EXPORT ssize_t vmsplice(int fd, const struct iovec *vector, size_t count, unsigned flags) {
  uint32_t entry = snarli_descriptor(fd);
  if (!snarli_is_channel(entry) || !count || !snarli_is_recording())
    return snarli_real()->vmsplice(fd, vector, count, flags);
  SNARLI_TRANSFER transfer;
  snarli_transfer_begin(&transfer, fd, entry, X_OF_SPLICE(flags) | (entry & SNARLI_D_SEND ? SNARLI_X_SEND : 0u),
                        SNARLI_AMOUNT_MOST, SNARLI_STACK);
  ssize_t result = snarli_real()->vmsplice(fd, vector, count, flags);
  snarli_transfer_end(&transfer, result >= 0, result > 0 ? (uint64_t)result : 0);
  return result;
}
