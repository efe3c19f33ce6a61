/* SPDX-License-Identifier: MIT
 *
 * Messages by what the kernel has: a pipe, as it is and with room for a megabyte, a pair of sockets, a POSIX message
 * queue, and a futex beside shared memory, slept on and spun on. What is no message of its own on a pipe, because it is
 * larger than what a pipe keeps together, has its reader and its writer taken by a lock when there are several.
 */
#include "process_peers.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHANNELS = 2 };

static int ends[CHANNELS][2];
static bool is_locked;
struct pipe_locks {
  pthread_mutex_t reader, writer;
};
static struct pipe_locks *locks(void) { return (struct pipe_locks *)shared->room; }

static void pipe_make_with(int channels, size_t largest, int pairs, int room) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&locks()->reader, &attr);
  pthread_mutex_init(&locks()->writer, &attr);
  is_locked = pairs > 1 && largest > PIPE_BUF;
  for (int i = 0; i < channels; i++) {
    must(pipe(ends[i]) == 0, "pipe");
    if (room && fcntl(ends[i][1], F_SETPIPE_SZ, room) < 0)
      not_here("F_SETPIPE_SZ");
  }
}
static void pipe_make(int channels, size_t largest, int pairs) { pipe_make_with(channels, largest, pairs, 0); }
static void large_pipe_make(int channels, size_t largest, int pairs) {
  pipe_make_with(channels, largest, pairs, 1 << 20);
}

static void pipe_send(int channel, const void *message, size_t size) {
  if (is_locked)
    pthread_mutex_lock(&locks()->writer);
  for (size_t done = 0; done < size;) {
    ssize_t wrote = write(ends[channel][1], (const char *)message + done, size - done);
    must(wrote > 0, "write");
    done += (size_t)wrote;
  }
  if (is_locked)
    pthread_mutex_unlock(&locks()->writer);
}

/* All messages are as large as there is room for. */
static size_t pipe_receive(int channel, void *message, size_t room) {
  if (is_locked)
    pthread_mutex_lock(&locks()->reader);
  for (size_t done = 0; done < room;) {
    ssize_t got = read(ends[channel][0], (char *)message + done, room - done);
    must(got > 0, "read");
    done += (size_t)got;
  }
  if (is_locked)
    pthread_mutex_unlock(&locks()->reader);
  return room;
}

static void close_ends(void) {
  for (int i = 0; i < CHANNELS; i++)
    for (int j = 0; j < 2; j++)
      if (ends[i][j])
        close(ends[i][j]);
}

static void sockets_make(int channels, size_t largest, int pairs) {
  (void)largest;
  (void)pairs;
  for (int i = 0; i < channels; i++)
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends[i]) == 0, "socketpair");
}
static void socket_send(int channel, const void *message, size_t size) {
  must(send(ends[channel][1], message, size, 0) == (ssize_t)size, "send");
}
static size_t socket_receive(int channel, void *message, size_t room) {
  ssize_t got = recv(ends[channel][0], message, room, 0);
  must(got > 0, "recv");
  return (size_t)got;
}

/* Ten messages is the most that a queue holds as the system comes, and 64 KiB are beyond what it allows others than
 * root. */
static mqd_t queues[CHANNELS];
static void queue_make(int channels, size_t largest, int pairs) {
  struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = (long)largest};
  (void)pairs;
  for (int i = 0; i < channels; i++) {
    char name[32];
    snprintf(name, sizeof name, "/snarl-peers-%d-%d", (int)getpid(), i);
    queues[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    if (queues[i] == (mqd_t)-1)
      not_here("mq_open");
    mq_unlink(name);
  }
}
static void queue_send(int channel, const void *message, size_t size) {
  must(mq_send(queues[channel], message, size, 0) == 0, "mq_send");
}
static size_t queue_receive(int channel, void *message, size_t room) {
  ssize_t got = mq_receive(queues[channel], message, room, NULL);
  must(got > 0, "mq_receive");
  return (size_t)got;
}

/* A word that says whether a message is there, and the message behind it. */
struct slot {
  _Alignas(2 * CACHE_LINE) _Atomic uint32_t is_full;
  unsigned char message[CACHE_LINE];
};
static struct slot *slot(int channel) { return (struct slot *)shared->room + channel; }

static void futex_wait(_Atomic uint32_t *word, uint32_t while_it_is) {
  while (*word == while_it_is)
    (void)syscall(SYS_futex, word, FUTEX_WAIT, while_it_is, NULL, NULL, 0);
}
static void spin_wait(_Atomic uint32_t *word, uint32_t while_it_is) {
  for (int i = 0; i < 2000 && *word == while_it_is; i++)
    __builtin_ia32_pause();
  futex_wait(word, while_it_is);
}
static void futex_send(int channel, const void *message, size_t size) {
  memcpy(slot(channel)->message, message, size);
  slot(channel)->is_full = 1;
  (void)syscall(SYS_futex, &slot(channel)->is_full, FUTEX_WAKE, 1, NULL, NULL, 0);
}
static size_t slot_take(int channel, void *message, size_t room) {
  memcpy(message, slot(channel)->message, room);
  slot(channel)->is_full = 0;
  return room;
}
static size_t futex_receive(int channel, void *message, size_t room) {
  futex_wait(&slot(channel)->is_full, 0);
  return slot_take(channel, message, room);
}
static size_t spin_receive(int channel, void *message, size_t room) {
  spin_wait(&slot(channel)->is_full, 0);
  return slot_take(channel, message, room);
}
static void nothing(int channels, size_t largest, int pairs) {
  (void)channels;
  (void)pairs;
  must(largest <= CACHE_LINE, "a message's size");
}

const struct transport raw_pipe = {
    .name = "pipe", .make = pipe_make, .send = pipe_send, .receive = pipe_receive, .end = close_ends};
const struct transport raw_large_pipe = {
    .name = "pipe-1M", .make = large_pipe_make, .send = pipe_send, .receive = pipe_receive, .end = close_ends};
const struct transport raw_socket = {
    .name = "seqpacket", .make = sockets_make, .send = socket_send, .receive = socket_receive, .end = close_ends};
const struct transport raw_queue = {.name = "mqueue", .make = queue_make, .send = queue_send, .receive = queue_receive};
const struct transport raw_futex = {
    .name = "futex", .make = nothing, .send = futex_send, .receive = futex_receive, .answers_only = true};
const struct transport raw_spin = {
    .name = "futex-spin", .make = nothing, .send = futex_send, .receive = spin_receive, .answers_only = true};
