/* SPDX-License-Identifier: MIT
 *
 * Message queues: POSIX ones are descriptors of their own functions, System V ones have ids, which stand for numbers
 * beyond all descriptors. Sending and receiving are cancellation points. Any thread.
 */
#include "fortified.h"
#include "transfers.h"
#include <fcntl.h>
#include <mqueue.h>
#include <stdarg.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/stat.h>

/* POSIX. */

static uint32_t queue_found(mqd_t queue, const char *name, unsigned ends, uint32_t stack) {
  struct mq_attr attributes;
  struct stat status;
  int saved = errno;
  if (mq_getattr(queue, &attributes) == 0 && fstat(queue, &status) == 0) {
    struct snarli_channel channel = {.kind = SNARLI_C_QUEUE, .stack = stack};
    channel.device = status.st_dev;
    channel.self = status.st_ino;
    channel.capacity = (uint64_t)attributes.mq_maxmsg;
    channel.content = (uint64_t)attributes.mq_curmsgs;
    int access = snarli_real()->fcntl(queue, F_GETFL) & O_ACCMODE;
    ends |= (access != O_WRONLY ? SNARLI_E_RECEIVE : 0u) | (access != O_RDONLY ? SNARLI_E_SEND : 0u);
    snarli_descriptor_opened(queue, &channel, name, ends, attributes.mq_flags & O_NONBLOCK ? SNARLI_D_NONBLOCK : 0);
  }
  errno = saved;
  return snarli_descriptor_peek(queue);
}

/* What it is, if it is to be recorded; elsewhere it passes for a file. */
static uint32_t queue_entry(mqd_t queue) {
  uint32_t entry = snarli_descriptor_peek(queue);
  if (!snarli_is_recording())
    return SNARLI_D_PLAIN;
  return snarli_kind(entry) == SNARLI_D_CHANNEL + SNARLI_C_QUEUE ? entry : queue_found(queue, "", 0, 0);
}

/* Whether the call made it, only the kernel knows: what changed last before the call did not come from it. Queues are
 * stamped with whole seconds. */
static time_t before_call(void) {
  struct timespec now = {0};
  (void)clock_gettime(CLOCK_REALTIME_COARSE, &now); /* what the kernel stamps with */
  return now.tv_sec;
}

static unsigned queue_made(mqd_t queue, int flags, time_t before) {
  struct stat status;
  int saved = errno;
  bool is_new = flags & O_CREAT && fstat(queue, &status) == 0 && status.st_ctim.tv_sec >= before;
  errno = saved;
  return is_new ? SNARLI_E_MADE : 0;
}

SNARLI_EXPORT mqd_t mq_open(const char *name, int flags, ...) {
  mode_t mode = 0;
  struct mq_attr *attributes = NULL;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    attributes = va_arg(rest, struct mq_attr *);
    va_end(rest);
  }
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  time_t before = before_call();
  mqd_t queue = snarli_real()->mq_open(name, flags, mode, attributes);
  if (queue >= 0 && snarli_is_recording())
    (void)queue_found(queue, name, queue_made(queue, flags, before), stack);
  return queue;
}

SNARLI_EXPORT mqd_t __mq_open_2(const char *name, int flags) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  mqd_t queue = snarli_real()->__mq_open_2(name, flags);
  if (queue >= 0 && snarli_is_recording())
    (void)queue_found(queue, name, 0, stack);
  return queue;
}

SNARLI_EXPORT int mq_close(mqd_t queue) {
  snarli_descriptor_closing(queue, SNARLI_STACK_OF_CHANNEL(queue));
  return snarli_real()->mq_close(queue);
}

#define QUEUE_BODY(ret, name, params, args, flags)                                                                     \
  SNARLI_EXPORT ret name params {                                                                                      \
    uint32_t entry = queue_entry(queue);                                                                               \
    if (!snarli_is_channel(entry))                                                                                     \
      return snarli_real()->name args;                                                                                 \
    SNARLI_TRANSFER transfer;                                                                                          \
    snarli_transfer_begin(&transfer, queue, entry, flags, 1, SNARLI_STACK);                                            \
    ret result = snarli_real()->name args;                                                                             \
    snarli_transfer_end(&transfer, result >= 0, 1);                                                                    \
    return result;                                                                                                     \
  }
QUEUE_BODY(int, mq_send, (mqd_t queue, const char *data, size_t size, unsigned priority), (queue, data, size, priority),
           SNARLI_X_SEND)
QUEUE_BODY(int, mq_timedsend,
           (mqd_t queue, const char *data, size_t size, unsigned priority, const struct timespec *end),
           (queue, data, size, priority, end), SNARLI_X_SEND | SNARLI_X_TIMED)
QUEUE_BODY(ssize_t, mq_receive, (mqd_t queue, char *data, size_t size, unsigned *priority),
           (queue, data, size, priority), 0u)
QUEUE_BODY(ssize_t, mq_timedreceive,
           (mqd_t queue, char *data, size_t size, unsigned *priority, const struct timespec *end),
           (queue, data, size, priority, end), SNARLI_X_TIMED)

/* System V. Which ids have been told of, by the lower bits; an id that comes again is told of again. */

enum { KNOWN = 1024 };
static _Atomic int known[KNOWN]; /* id + 1 */

static inline int number_of(int id) {
  return (int)(SNARLI_DESCRIPTOR_QUEUES | ((unsigned)id & (SNARLI_DESCRIPTOR_QUEUES - 1)));
}

static bool is_new(const struct msqid_ds *state, time_t before) {
  return state->msg_ctime >= before && !state->msg_stime && !state->msg_rtime;
}

/* `before`: when the call began that may have made it, NULL: it did not. */
static void system_v_found(int id, unsigned ends, const time_t *before, uint32_t stack) {
  struct msqid_ds state;
  int saved = errno;
  struct snarli_channel channel = {.kind = SNARLI_C_SYSV, .stack = stack, .self = (uint64_t)(unsigned)id + 1};
  if (snarli_real()->msgctl(id, IPC_STAT, &state) == 0) {
    channel.capacity = state.msg_qbytes;
    channel.peer = state.msg_qnum;
    channel.content = state.__msg_cbytes + state.msg_qnum;
    ends |= SNARLI_E_RECEIVE | SNARLI_E_SEND | (before && is_new(&state, *before) ? SNARLI_E_MADE : 0u);
    snarli_record_aux(SNARLI_R_CHANNEL_OPENED, ends, (unsigned)number_of(id), snarli_blob_channel(&channel, "", 0));
    atomic_store_explicit(&known[(unsigned)id % KNOWN], id + 1, memory_order_relaxed);
  }
  errno = saved;
}

static inline void system_v_ensure(int id) {
  if (id >= 0 && atomic_load_explicit(&known[(unsigned)id % KNOWN], memory_order_relaxed) != id + 1)
    system_v_found(id, 0, NULL, 0);
}

SNARLI_EXPORT int msgget(key_t key, int flags) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  time_t before = before_call();
  int id = snarli_real()->msgget(key, flags);
  if (id >= 0 && snarli_is_recording())
    system_v_found(id, key == IPC_PRIVATE ? SNARLI_E_UNLINKED : 0,
                   flags & IPC_CREAT || key == IPC_PRIVATE ? &before : NULL, stack);
  return id;
}

SNARLI_EXPORT int msgsnd(int id, const void *message, size_t size, int flags) {
  if (!snarli_is_recording())
    return snarli_real()->msgsnd(id, message, size, flags);
  system_v_ensure(id);
  SNARLI_TRANSFER transfer;
  snarli_transfer_begin(&transfer, number_of(id), SNARLI_D_CHANNEL + SNARLI_C_SYSV,
                        SNARLI_X_SEND | (flags & IPC_NOWAIT ? SNARLI_X_NONBLOCK : 0u), size + 1, SNARLI_STACK);
  int result = snarli_real()->msgsnd(id, message, size, flags);
  snarli_transfer_end(&transfer, result == 0, size + 1);
  return result;
}

SNARLI_EXPORT ssize_t msgrcv(int id, void *message, size_t size, long type, int flags) {
  if (!snarli_is_recording())
    return snarli_real()->msgrcv(id, message, size, type, flags);
  system_v_ensure(id);
  SNARLI_TRANSFER transfer;
  unsigned how = (flags & IPC_NOWAIT ? SNARLI_X_NONBLOCK : 0u) | (flags & MSG_COPY ? SNARLI_X_PEEK : 0u);
  snarli_transfer_begin(&transfer, number_of(id), SNARLI_D_CHANNEL + SNARLI_C_SYSV, how, size + 1, SNARLI_STACK);
  ssize_t result = snarli_real()->msgrcv(id, message, size, type, flags);
  snarli_transfer_end(&transfer, result >= 0, (uint64_t)result + 1);
  return result;
}

SNARLI_EXPORT int msgctl(int id, int command, struct msqid_ds *state) {
  if (command == IPC_RMID && snarli_is_recording()) {
    system_v_ensure(id);
    snarli_record_aux(SNARLI_R_CHANNEL_CLOSED, 0, (unsigned)number_of(id), SNARLI_STACK);
  }
  int result = snarli_real()->msgctl(id, command, state);
  if (command == IPC_SET && result == 0 && snarli_is_recording())
    system_v_found(id, 0, NULL, 0);
  return result;
}
