/* SPDX-License-Identifier: MIT
 *
 * Waits for any of several descriptors. Only a wait without end is recorded, and only one in which every descriptor is
 * a channel of the trace: any other can be ended from outside, and the thread counts as running. What it leaves is
 * gone again when it ends soon. All are cancellation points. Any thread and signal handler.
 *
 * Try first: the call is made without waiting, and what is ready then costs nothing more. Why that is the same: what is
 * ready stays so until it is taken, the signal mask holds in both calls, and the kernel checks the arguments before we
 * look at them. Not of select, whose sets the first call would empty: its request is written at once.
 */
#include "descriptors.h"
#include "fortified.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum { MOST = 64 }; /* a larger set is not written down */

struct poll {
  struct snarli_pending pending;
  uint64_t heads[MOST + 1];
  uint32_t count; /* of heads */
  bool is_open;
};

static uint64_t failed(int error) { return snarli_record_head(SNARLI_R_CHANNEL_FAILED, (unsigned)error, 0xfffff); }

static void poll_cancelled(struct poll *poll) {
  if (poll->is_open)
    snarli_pending_drop(&poll->pending, failed(ECANCELED));
}
#define POLL __attribute__((cleanup(poll_cancelled))) struct poll

/* False: it can be ended from outside, or there are too many. */
static bool poll_add(struct poll *poll, int fd, unsigned ends) {
  if (poll->count == MOST || !snarli_is_channel(snarli_descriptor(fd)))
    return false;
  poll->heads[poll->count++] = snarli_record_head(SNARLI_R_CHANNEL_POLLED, ends, (unsigned)fd);
  return true;
}

static void poll_begin(struct poll *poll, uint32_t stack) {
  uint32_t count = poll->count;
  poll->heads[poll->count++] = snarli_record_head(SNARLI_R_CHANNEL_POLL_REQUESTED, 0, count);
  snarli_pending_begin(&poll->pending, poll->heads, poll->count, stack);
  poll->is_open = poll->pending.rows != NULL; /* NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult): set there */
}

static void poll_end(struct poll *poll, int result) {
  if (!poll->is_open)
    return;
  poll->is_open = false;
  snarli_pending_drop(&poll->pending, result < 0
                                          ? failed(errno)
                                          : snarli_record_head(SNARLI_R_CHANNEL_POLL_RETURNED, 0, (unsigned)result));
}

static bool take_set(struct poll *poll, const struct pollfd *set, nfds_t count) {
  if (!set || count > MOST)
    return false;
  for (nfds_t i = 0; i < count; i++) {
    unsigned ends = (set[i].events & (POLLIN | POLLRDNORM) ? SNARLI_E_RECEIVE : 0u) |
                    (set[i].events & (POLLOUT | POLLWRNORM) ? SNARLI_E_SEND : 0u);
    if (set[i].fd >= 0 && !poll_add(poll, set[i].fd, ends))
      return false;
  }
  return poll->count > 0;
}

#define NEW_POLL                                                                                                       \
  POLL state;                                                                                                          \
  state.count = 0;                                                                                                     \
  state.is_open = false

#define POLL_BODY(name, params, args, args_now, is_endless, take)                                                      \
  SNARLI_EXPORT int name params {                                                                                      \
    if (!(is_endless) || !snarli_is_recording())                                                                       \
      return snarli_real()->name args;                                                                                 \
    int result = snarli_real()->name args_now;                                                                         \
    if (result)                                                                                                        \
      return result;                                                                                                   \
    NEW_POLL;                                                                                                          \
    if (take)                                                                                                          \
      poll_begin(&state, SNARLI_STACK);                                                                                \
    result = snarli_real()->name args;                                                                                 \
    poll_end(&state, result);                                                                                          \
    return result;                                                                                                     \
  }
#define SET_BODY(name, params, args, args_now, is_endless)                                                             \
  POLL_BODY(name, params, args, args_now, is_endless, take_set(&state, set, count))

static const struct timespec now = {0, 0};

SET_BODY(poll, (struct pollfd * set, nfds_t count, int timeout), (set, count, timeout), (set, count, 0), timeout < 0)
SET_BODY(__poll_chk, (struct pollfd * set, nfds_t count, int timeout, size_t room), (set, count, timeout, room),
         (set, count, 0, room), timeout < 0)
SET_BODY(ppoll, (struct pollfd * set, nfds_t count, const struct timespec *end, const sigset_t *mask),
         (set, count, end, mask), (set, count, &now, mask), !end)
SET_BODY(__ppoll_chk,
         (struct pollfd * set, nfds_t count, const struct timespec *end, const sigset_t *mask, size_t room),
         (set, count, end, mask, room), (set, count, &now, mask, room), !end)

static bool take_sets(struct poll *poll, int count, const fd_set *in, const fd_set *out, const fd_set *special) {
  if (special || count > FD_SETSIZE)
    return false;
  for (int fd = 0; fd < count; fd++) {
    unsigned ends = (in && FD_ISSET(fd, in) ? SNARLI_E_RECEIVE : 0u) | (out && FD_ISSET(fd, out) ? SNARLI_E_SEND : 0u);
    if (ends && !poll_add(poll, fd, ends))
      return false;
  }
  return poll->count > 0;
}

SNARLI_EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *special, struct timeval *end) {
  NEW_POLL;
  if (!end && snarli_is_recording() && take_sets(&state, count, in, out, special))
    poll_begin(&state, SNARLI_STACK);
  int result = snarli_real()->select(count, in, out, special, end);
  poll_end(&state, result);
  return result;
}

SNARLI_EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *special, const struct timespec *end,
                          const sigset_t *mask) {
  NEW_POLL;
  if (!end && snarli_is_recording() && take_sets(&state, count, in, out, special))
    poll_begin(&state, SNARLI_STACK);
  int result = snarli_real()->pselect(count, in, out, special, end, mask);
  poll_end(&state, result);
  return result;
}

/* An epoll is a set that the analyzer knows from who was added and removed. */

SNARLI_EXPORT int epoll_ctl(int set, int what, int fd, struct epoll_event *event) {
  int result = snarli_real()->epoll_ctl(set, what, fd, event);
  uint32_t entry = snarli_descriptor_peek(set);
  if (result || snarli_kind(entry) != SNARLI_D_CHANNEL + SNARLI_C_EPOLL || !snarli_is_recording())
    return result;
  unsigned ends = 0;
  if (what != EPOLL_CTL_DEL && event)
    ends = (event->events & EPOLLIN ? SNARLI_E_RECEIVE : 0u) | (event->events & EPOLLOUT ? SNARLI_E_SEND : 0u);
  if (what != EPOLL_CTL_DEL && !snarli_is_channel(snarli_descriptor(fd)))
    ends = SNARLI_E_OUTSIDE;
  snarli_record_aux(SNARLI_R_CHANNEL_WATCHED, ends, snarli_transfer_object((unsigned)fd, (unsigned)set), 0);
  return result;
}

#define EPOLL_BODY(name, params, args, args_now, is_endless)                                                           \
  POLL_BODY(name, params, args, args_now, is_endless, poll_add(&state, set, SNARLI_E_RECEIVE))

EPOLL_BODY(epoll_wait, (int set, struct epoll_event *events, int room, int timeout), (set, events, room, timeout),
           (set, events, room, 0), timeout < 0)
EPOLL_BODY(epoll_pwait, (int set, struct epoll_event *events, int room, int timeout, const sigset_t *mask),
           (set, events, room, timeout, mask), (set, events, room, 0, mask), timeout < 0)
EPOLL_BODY(epoll_pwait2,
           (int set, struct epoll_event *events, int room, const struct timespec *end, const sigset_t *mask),
           (set, events, room, end, mask), (set, events, room, &now, mask), !end)
