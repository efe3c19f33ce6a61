/* SPDX-License-Identifier: MIT
 *
 * The ends of pipes (see end.h): pairs of sockets, which the trace knows as channels. `guard` protects their list and
 * their descriptors. Entered by any thread.
 */
#include "end.h"
#include "core/system.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

static uint32_t guard;
static LIST_HEAD(, snarli_pipe_end) all;

/* What it is an end of, as the shim would say it of one of a pair of sockets. */
static void record_end(const struct snarli_pipe_end *end, ino_t peer, unsigned flags, uint32_t place) {
  struct stat status;
  int saved = errno, room = 0;
  socklen_t size = sizeof room;
  if (!fstat(end->fd, &status)) {
    (void)snarli_system(SYS_getsockopt, end->fd, SOL_SOCKET, SO_SNDBUF, &room, &size);
    struct snarli_channel channel = {.kind = SNARLI_C_STREAM, .stack = place, .device = status.st_dev};
    channel.self = status.st_ino;
    channel.peer = peer;
    channel.capacity = (uint64_t)room;
    unsigned can = (end->may_recv ? SNARLI_E_RECEIVE : 0u) | (end->may_send ? SNARLI_E_SEND : 0u);
    snarli_record_aux(SNARLI_R_CHANNEL_OPENED, flags | can, (unsigned)end->fd, snarli_blob_channel(&channel, "", 0));
  }
  errno = saved;
}

static ino_t inode_of(const struct snarli_pipe_end *end) {
  struct stat status;
  int saved = errno, failed = fstat(end->fd, &status);
  errno = saved;
  return failed ? 0 : status.st_ino;
}

static void list_add(struct snarli_pipe_end *end) {
  snarli_guard(&guard);
  LIST_INSERT_HEAD(&all, end, link);
  snarli_unguard(&guard);
}

int snarli_ends_make(struct snarli_pipe_end *ends[2], enum snarl_pipe_kind kind, uint32_t place) {
  int pair[2] = {-1, -1};
  for (int i = 0; i < 2; i++)
    ends[i] = calloc(1, sizeof *ends[i]);
  long result =
      ends[0] && ends[1] ? snarli_system(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) : -ENOMEM;
  if (result) {
    free(ends[0]);
    free(ends[1]);
    return result == -ENOMEM || result == -ENOBUFS ? SNARL_NO_MEMORY : SNARL_NO_DESCRIPTOR;
  }
  for (int i = 0; i < 2; i++) {
    *ends[i] = (struct snarli_pipe_end){.fd = pair[i], .passed = -1};
    ends[i]->may_send = kind == SNARL_DUPLEX || i == 1;
    ends[i]->may_recv = kind == SNARL_DUPLEX || i == 0;
  }
  for (int i = 0; i < 2; i++) {
    if (snarli_records())
      record_end(ends[i], inode_of(ends[!i]), SNARLI_E_MADE, place);
    list_add(ends[i]);
  }
  return SNARL_OK;
}

int snarli_end_adopt(struct snarli_pipe_end **end, const struct snarli_handed *handed, uint32_t place) {
  *end = calloc(1, sizeof **end);
  if (!*end)
    return SNARL_NO_MEMORY;
  **end = (struct snarli_pipe_end){.fd = handed->fd, .passed = -1};
  (*end)->may_send = handed->may_send;
  (*end)->may_recv = handed->may_recv;
  if (snarli_records())
    record_end(*end, 0, 0, place); /* the other one is known by whoever has made them */
  list_add(*end);
  return SNARL_OK;
}

/* The guard is held. */
static void close_locked(struct snarli_pipe_end *end, uint32_t place) {
  if (end->fd < 0)
    return;
  if (snarli_records())
    snarli_record_aux(SNARLI_R_CHANNEL_CLOSED, 0, (unsigned)end->fd, place);
  (void)snarli_system(SYS_close, end->fd);
  end->fd = -1;
}

void snarli_end_close(struct snarli_pipe_end *end, uint32_t place) {
  snarli_guard(&guard);
  close_locked(end, place);
  snarli_unguard(&guard);
}

void snarli_end_free(struct snarli_pipe_end *end) {
  snarli_guard(&guard);
  LIST_REMOVE(end, link);
  snarli_unguard(&guard);
  if (end->passed >= 0) /* nobody asked for it */
    (void)snarli_system(SYS_close, end->passed);
  free(end);
}

void snarli_ends_given(const snarl_process *process, struct snarl_site *site) {
  uint32_t place = snarli_records() ? snarli_place(site) : 0;
  struct snarli_pipe_end *end;
  snarli_guard(&guard);
  LIST_FOREACH(end, &all, link)
  if (end->owner == process)
    close_locked(end, place);
  snarli_unguard(&guard);
}

/* The process has its own for itself; those of others are none of its business. */
void snarli_ends_begin(const snarl_process *process, struct snarl_site *site) {
  uint32_t place = snarli_records() ? snarli_place(site) : 0;
  struct snarli_pipe_end *end;
  snarli_guard(&guard);
  LIST_FOREACH(end, &all, link)
  if (end->owner == process)
    end->owner = NULL;
  else if (end->owner)
    close_locked(end, place);
  snarli_unguard(&guard);
}

void snarli_ends_before_fork(void) { snarli_guard(&guard); }
void snarli_ends_after_fork(void) { snarli_unguard(&guard); }

/* The threads that were in them are not here. */
void snarli_ends_in_child(void) {
  guard = 0;
  struct snarli_pipe_end *end;
  LIST_FOREACH(end, &all, link)
  end->sending = end->receiving = 0;
}
