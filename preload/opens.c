/* SPDX-License-Identifier: MIT
 *
 * Descriptors that come, are copied and go: the table and the trace follow. A close is recorded before the call (after
 * it another thread may be given the number), everything else after it. Those that are cancellation points are
 * recorded before they can be cancelled, or leave nothing. Entered by any thread and by signal handlers; the child of a
 * vfork passes through.
 */
#include "descriptors.h"
#include "files.h"
#include "fortified.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Whatever had this number is gone, even if nobody saw it go. */
static void number_given(int fd) {
  snarli_descriptor_forget(fd);
  snarli_files_opened(fd);
}

/* OPEN */
#define BODY_OPEN(result, object, ret, name, params, args)                                                             \
  SNARLI_EXPORT ret name params {                                                                                      \
    ret opened = snarli_real()->name args;                                                                             \
    number_given(opened);                                                                                              \
    return opened;                                                                                                     \
  }
#define BODY_LOCK(result, object, ret, name, params, args)
#define BODY_TRY(result, object, ret, name, params, args)
#define BODY_TIMED(result, object, ret, name, params, args)
#define BODY_UNLOCK(result, object, ret, name, params, args)
#define BODY_DESTROY(result, object, ret, name, params, args)
#define BODY_RECEIVE(result, object, ret, name, params, args)
#define BODY_SEND(result, object, ret, name, params, args)
#define BODY_MANUAL(result, object, ret, name, params, args)
#define WRAP(body, result, object, ret, name, params, args, version)                                                   \
  BODY_##body(result, object, ret, name, params, args)
#include "wrapped.def"

#define OPEN_WITH_MODE(name, params, ...)                                                                              \
  SNARLI_EXPORT int name params {                                                                                      \
    mode_t mode = 0;                                                                                                   \
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {                                                         \
      va_list rest;                                                                                                    \
      va_start(rest, flags);                                                                                           \
      mode = va_arg(rest, mode_t);                                                                                     \
      va_end(rest);                                                                                                    \
    }                                                                                                                  \
    int opened = snarli_real()->name(__VA_ARGS__, mode);                                                               \
    number_given(opened);                                                                                              \
    return opened;                                                                                                     \
  }
OPEN_WITH_MODE(open, (const char *path, int flags, ...), path, flags)
OPEN_WITH_MODE(open64, (const char *path, int flags, ...), path, flags)
OPEN_WITH_MODE(openat, (int directory, const char *path, int flags, ...), directory, path, flags)
OPEN_WITH_MODE(openat64, (int directory, const char *path, int flags, ...), directory, path, flags)

/* Pipes. */

static void pipe_made(const int ends[2], uint32_t stack) {
  int saved = errno;
  for (int i = 0; i < 2; i++)
    (void)snarli_descriptor_find(ends[i], SNARLI_E_MADE, stack);
  errno = saved;
}

SNARLI_EXPORT int pipe(int ends[2]) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->pipe(ends);
  if (result == 0 && snarli_is_recording())
    pipe_made(ends, stack);
  return result;
}

/* The recorder's stack walk (libunwind) keeps a pipe to probe memory with. It would take the lowest free descriptors,
 * which programs count on: a shell that redirects, a daemon that closed 0 to 2. */
static void pipe_of_walk(int ends[2]) {
  for (int i = 0; i < 2; i++) {
    snarli_descriptor_forget(ends[i]);
    ends[i] = snarli_descriptor_aside(ends[i]);
    snarli_descriptor_store(ends[i], SNARLI_D_PLAIN);
  }
}

SNARLI_EXPORT int pipe2(int ends[2], int flags) {
  bool is_walking = snarli_is_walking();
  uint32_t stack = is_walking ? 0 : SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->pipe2(ends, flags);
  if (result == 0 && is_walking)
    pipe_of_walk(ends);
  else if (result == 0 && snarli_is_recording())
    pipe_made(ends, stack);
  return result;
}

/* Sockets. */

static void pair_made(const int ends[2], int type, uint32_t stack) {
  int saved = errno;
  struct stat status[2];
  int room = 0;
  socklen_t size = sizeof room;
  if (fstat(ends[0], &status[0]) == 0 && fstat(ends[1], &status[1]) == 0) {
    (void)getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, &size);
    for (int i = 0; i < 2; i++) {
      struct snarli_channel channel = {.stack = stack, .device = status[i].st_dev, .self = status[i].st_ino};
      channel.kind = (type & 0xf) == SOCK_STREAM ? SNARLI_C_STREAM : SNARLI_C_MESSAGES;
      channel.peer = status[!i].st_ino;
      channel.capacity = (uint64_t)room;
      snarli_descriptor_opened(ends[i], &channel, "", SNARLI_E_MADE | SNARLI_E_RECEIVE | SNARLI_E_SEND,
                               type & SOCK_NONBLOCK ? SNARLI_D_NONBLOCK : 0);
    }
  }
  errno = saved;
}

SNARLI_EXPORT int socketpair(int domain, int type, int protocol, int ends[2]) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->socketpair(domain, type, protocol, ends);
  if (result == 0 && snarli_is_recording())
    pair_made(ends, type, stack);
  return result;
}

static void connected(int fd, uint32_t stack) {
  snarli_descriptor_forget(fd);
  if (snarli_is_recording())
    (void)snarli_descriptor_find(fd, SNARLI_E_MADE, stack);
}

SNARLI_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->connect(fd, address, size);
  if (result == 0)
    connected(fd, stack);
  else
    snarli_descriptor_forget(fd); /* it may be connecting: found out when it is used */
  return result;
}

SNARLI_EXPORT int accept(int fd, __SOCKADDR_ARG address, socklen_t *size) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->accept(fd, address, size);
  if (result >= 0)
    connected(result, stack);
  return result;
}

SNARLI_EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->accept4(fd, address, size, flags);
  if (result >= 0)
    connected(result, stack);
  return result;
}

SNARLI_EXPORT int shutdown(int fd, int how) {
  if (snarli_is_channel(snarli_descriptor(fd)) && snarli_is_recording()) {
    unsigned ends = how == SHUT_RD ? SNARLI_E_RECEIVE : how == SHUT_WR ? SNARLI_E_SEND : 3;
    snarli_record_aux(SNARLI_R_CHANNEL_SHUT, ends, (unsigned)fd, SNARLI_STACK);
  }
  return snarli_real()->shutdown(fd, how);
}

SNARLI_EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t size) {
  int result = snarli_real()->setsockopt(fd, level, option, value, size);
  uint32_t entry = snarli_descriptor_peek(fd);
  if (result == 0 && level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO) &&
      snarli_is_channel(entry) && snarli_is_recording())
    snarli_descriptor_store(fd, entry | SNARLI_D_TIMED);
  return result;
}

/* What has no name outside is told apart by who made it and when. */
static void identify(struct snarli_channel *channel) {
  static _Atomic uint32_t serial;
  struct timespec now = {0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  channel->device = (uint64_t)getpid() << 32 | atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed);
  channel->self = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void made(int fd, enum snarli_channel_kind kind, uint64_t content, unsigned entry, uint32_t stack) {
  struct snarli_channel channel = {.kind = kind, .stack = stack, .content = content};
  if (kind == SNARLI_C_PIDFD)
    channel.self = content;
  else
    identify(&channel);
  snarli_descriptor_opened(fd, &channel, "", SNARLI_E_MADE | SNARLI_E_RECEIVE | SNARLI_E_SEND, entry);
}

SNARLI_EXPORT int eventfd(unsigned count, int flags) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int fd = snarli_real()->eventfd(count, flags);
  if (fd >= 0 && snarli_is_recording())
    made(fd, SNARLI_C_EVENT, count, flags & EFD_NONBLOCK ? SNARLI_D_NONBLOCK : 0, stack);
  return fd;
}

SNARLI_EXPORT int epoll_create(int size) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int fd = snarli_real()->epoll_create(size);
  if (fd >= 0 && snarli_is_recording())
    made(fd, SNARLI_C_EPOLL, 0, 0, stack);
  return fd;
}

SNARLI_EXPORT int epoll_create1(int flags) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int fd = snarli_real()->epoll_create1(flags);
  if (fd >= 0 && snarli_is_recording())
    made(fd, SNARLI_C_EPOLL, 0, 0, stack);
  return fd;
}

SNARLI_EXPORT int pidfd_open(pid_t pid, unsigned flags) {
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int fd = snarli_real()->pidfd_open(pid, flags);
  if (fd >= 0 && snarli_is_recording())
    made(fd, SNARLI_C_PIDFD, (uint64_t)pid, 0, stack);
  return fd;
}

/* Channels are recorded, and locks on files are given up. The stack is taken in the wrapper's own frame. */
static inline bool is_close_recorded(int fd) {
  return (snarli_is_channel(snarli_descriptor_peek(fd)) || snarli_files_concern(fd)) && snarli_is_recording();
}
#define STACK_OF_CLOSE(fd) (is_close_recorded(fd) ? SNARLI_STACK : 0)

static void closing(int fd, uint32_t stack) {
  if (snarli_files_concern(fd))
    snarli_files_closing(fd, stack);
  snarli_descriptor_closing(fd, stack);
}

/* Copies. */

static void copied(int fd, int of) {
  if (fd < 0 || fd == of || !snarli_is_recording())
    return;
  uint32_t entry = snarli_descriptor(of);
  if (snarli_is_channel(entry))
    snarli_record_aux(SNARLI_R_CHANNEL_DUPLICATED, 0, (unsigned)fd, (unsigned)of);
  else
    snarli_files_copied(of, fd);
  if (snarli_kind(entry) != SNARLI_D_UNKNOWN)
    snarli_descriptor_store(fd, entry);
}

SNARLI_EXPORT int dup(int of) {
  int fd = snarli_real()->dup(of);
  copied(fd, of);
  return fd;
}

/* What has this number goes, if there is anything to be copied to it. */
static void replaced(int of, int fd, uint32_t stack) {
  int saved = errno;
  if (of != fd && is_close_recorded(fd) && snarli_real()->fcntl(of, F_GETFD) >= 0)
    closing(fd, stack);
  errno = saved;
}

SNARLI_EXPORT int dup2(int of, int fd) {
  replaced(of, fd, STACK_OF_CLOSE(fd));
  int result = snarli_real()->dup2(of, fd);
  copied(result, of);
  return result;
}

SNARLI_EXPORT int dup3(int of, int fd, int flags) {
  if (of != fd)
    replaced(of, fd, STACK_OF_CLOSE(fd));
  int result = snarli_real()->dup3(of, fd, flags);
  copied(result, of);
  return result;
}

static inline bool is_controlling(int command) {
  return command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_SETFL || command == F_SETPIPE_SZ;
}

static void controlled(int fd, int command, long argument, int result) {
  uint32_t entry = snarli_descriptor_peek(fd);
  if (result < 0 || snarli_kind(entry) == SNARLI_D_UNKNOWN || !snarli_is_recording())
    return;
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
    copied(result, fd);
  else if (command == F_SETFL)
    snarli_descriptor_store(fd,
                            (entry & ~(uint32_t)SNARLI_D_NONBLOCK) | (argument & O_NONBLOCK ? SNARLI_D_NONBLOCK : 0));
  else if (command == F_SETPIPE_SZ && snarli_is_channel(entry))
    (void)snarli_descriptor_find(fd, 0, 0);
}

#define FCNTL(name)                                                                                                    \
  SNARLI_EXPORT int name(int fd, int command, ...) {                                                                   \
    va_list rest;                                                                                                      \
    va_start(rest, command);                                                                                           \
    long argument = va_arg(rest, long);                                                                                \
    va_end(rest);                                                                                                      \
    if (snarli_files_is_lock(command) && argument && snarli_is_recording())                                            \
      return snarli_files_lock(snarli_real()->name, fd, command, argument, SNARLI_STACK);                              \
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && snarli_is_recording())                                   \
      (void)snarli_descriptor(fd);                                                                                     \
    int result = snarli_real()->name(fd, command, argument);                                                           \
    if (is_controlling(command))                                                                                       \
      controlled(fd, command, argument, result);                                                                       \
    return result;                                                                                                     \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

/* Closing. */

SNARLI_EXPORT int close(int fd) {
  closing(fd, STACK_OF_CLOSE(fd));
  return snarli_real()->close(fd);
}

/* Streams read and write inside libc, unseen; but a stream over a pipe's end closes it. */
static int descriptor_of(FILE *stream) {
  int saved = errno, fd = stream ? fileno(stream) : -1;
  errno = saved;
  return fd;
}

SNARLI_EXPORT int fclose(FILE *stream) {
  int fd = descriptor_of(stream);
  closing(fd, STACK_OF_CLOSE(fd));
  return snarli_real()->fclose(stream);
}

SNARLI_EXPORT int pclose(FILE *stream) {
  int fd = descriptor_of(stream);
  closing(fd, STACK_OF_CLOSE(fd));
  return snarli_real()->pclose(stream);
}

#define FREOPEN(name)                                                                                                  \
  SNARLI_EXPORT FILE *name(const char *path, const char *mode, FILE *stream) {                                         \
    int fd = descriptor_of(stream);                                                                                    \
    closing(fd, STACK_OF_CLOSE(fd));                                                                                   \
    return snarli_real()->name(path, mode, stream);                                                                    \
  }
FREOPEN(freopen)
FREOPEN(freopen64)

SNARLI_EXPORT int closedir(DIR *directory) {
  DIR *given = directory;
  __asm__("" : "+r"(given)); /* it is declared never to be NULL, but may be, and that is an error */
  int saved = errno, fd = given ? dirfd(given) : -1;
  errno = saved;
  closing(fd, STACK_OF_CLOSE(fd));
  return snarli_real()->closedir(directory);
}

static void closing_all(unsigned first, unsigned last, uint32_t stack) {
  snarli_files_closing_range(first, last, stack);
  for (int fd; (fd = snarli_descriptor_next(&first, last)) >= 0;)
    snarli_descriptor_closing(fd, stack);
}

SNARLI_EXPORT int close_range(unsigned first, unsigned last, int flags) {
  if (snarli_is_recording() && first <= last && !(flags & ~CLOSE_RANGE_UNSHARE))
    closing_all(first, last, SNARLI_STACK);
  return snarli_real()->close_range(first, last, flags);
}

SNARLI_EXPORT void closefrom(int lowest) {
  if (snarli_is_recording())
    closing_all(lowest > 0 ? (unsigned)lowest : 0, ~0u, SNARLI_STACK);
  snarli_real()->closefrom(lowest);
}

/* What may close by its number: see futex.c. */
void snarli_descriptors_called(long number, long a, long b, long c, uint32_t stack) {
  if (!snarli_is_recording())
    return;
  if (number == SYS_close)
    closing((int)a, stack);
  else if (number == SYS_close_range && (unsigned)a <= (unsigned)b && !((int)c & ~CLOSE_RANGE_UNSHARE))
    closing_all((unsigned)a, (unsigned)b, stack);
  else if (number != SYS_close_range)
    replaced((int)a, (int)b, stack);
}
