/* SPDX-License-Identifier: MIT
 *
 * The start method forkserver, on the side of the process that starts (see server.h). It has one server, made by the
 * first start, and another if that one was killed; a fork has none. `guard` protects it: starts take turns. Entered by
 * any thread.
 */
#include "child.h"
#include "core/self.h"
#include "core/system.h"
#include "given.h"
#include "image.h"
#include "passing.h"
#include "server.h"
#include "start.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

static uint32_t guard;
static struct { int pid, line, sentinel; } server = {0, -1, -1}; /* pid 0: there is none */
static int childs_end = -1;                                      /* of the line of the start under way */

static bool is_over(int64_t deadline) {
  struct pollfd end = {.fd = server.sentinel, .events = POLLIN};
  return snarli_poll(&end, 1, deadline) != 0;
}

/* The guard is held. It has ended, or is to end: it does when the line is closed, unless it is stopped. */
static void bury(struct snarl_site *site) {
  (void)snarli_system(SYS_close, server.line);
  if (!is_over(snarli_deadline(SNARL_S(1))))
    (void)snarli_system(SYS_pidfd_send_signal, server.sentinel, SIGKILL, NULL, 0);
  (void)snarli_system(SYS_waitid, P_PID, server.pid, NULL, WEXITED, NULL);
  (void)snarli_system(SYS_close, server.sentinel);
  if (snarli_records())
    snarli_record_aux(SNARLI_R_WAIT_RETURNED, SNARLI_F_ENDED, (uint64_t)server.pid, snarli_place(site));
  server.pid = 0;
}

/* The pid, or -errno. */
static int execute(int line, struct snarl_site *site) {
  static const snarl_process process = SNARL_PROCESS_INIT("forkserver", NULL, NULL);
  int preparation = snarli_preparation_write(&process, NULL);
  if (preparation < 0)
    return preparation == SNARL_NO_MEMORY ? -ENOMEM : -EMFILE;
  uint32_t place = snarli_start_requested(SNARLI_F_SPAWN, site);
  int pid = snarli_image_start(snarl_process_name(&process), preparation, &line, 1);
  snarli_start_ended(SNARLI_F_SPAWN, pid, place);
  (void)snarli_system(SYS_close, preparation);
  return pid;
}

/* The guard is held. */
static int make(struct snarl_site *site) {
  int pair[2];
  long result = snarli_system(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
  if (result)
    return snarli_start_failed(result);
  int reserved = snarli_start_reserve(), pid = reserved < 0 ? reserved : execute(pair[1], site);
  snarli_close_all(&pair[1], 1);
  if (reserved >= 0)
    (void)snarli_system(SYS_close, reserved);
  long sentinel = pid > 0 ? snarli_system(SYS_pidfd_open, pid, 0) : pid;
  if (sentinel < 0) {
    (void)snarli_system(SYS_close, pair[0]);
    if (pid > 0) /* it ends by itself */
      (void)snarli_system(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL);
    return snarli_start_failed(sentinel);
  }
  server.pid = pid;
  server.line = pair[0];
  server.sentinel = (int)sentinel;
  return SNARL_OK;
}

/* The guard is held. A server that was killed is replaced. */
static int ensure(struct snarl_site *site) {
  if (server.pid && is_over(SNARLI_PAST))
    bury(site);
  return server.pid ? SNARL_OK : make(site);
}

/* The guard is held. Its answer, or -EPIPE: it has ended. */
static int await_answer(int *sentinel) {
  struct pollfd polled[] = {{server.line, POLLIN, 0}, {server.sentinel, POLLIN, 0}};
  struct snarli_server_answer answer;
  if (snarli_poll(polled, 2, SNARLI_NEVER) < 0)
    return -ENOMEM;
  int count = polled[0].revents ? snarli_take(server.line, &answer, sizeof answer, sentinel, 1) : -EPIPE;
  return count < 0 ? count : answer.pid > 0 && !count ? -EMFILE : answer.pid;
}

struct parcel {
  struct snarli_server_request request;
  int descriptors[SNARLI_SERVER_PASSED], count;
  int directory; /* -1: this process has none that can be opened */
};

static bool is_open(int fd) { return snarli_system(SYS_fcntl, fd, F_GETFD) >= 0; }
static void add(struct parcel *parcel, int fd) { parcel->descriptors[parcel->count++] = fd; }

/* 0, or -errno. */
static int pack(struct parcel *parcel, const snarl_process *process, int line, int preparation) {
  *parcel = (struct parcel){.count = 0};
  parcel->directory = (int)snarli_system(SYS_openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (parcel->directory == -EMFILE || parcel->directory == -ENFILE)
    return parcel->directory;
  add(parcel, line);
  parcel->request.has_directory = parcel->directory >= 0;
  if (parcel->directory >= 0)
    add(parcel, parcel->directory);
  for (int stream = 0; stream < 3; stream++)
    if (is_open(stream)) {
      parcel->request.streams |= (uint8_t)(1 << stream);
      add(parcel, stream);
    }
  add(parcel, preparation);
  for (size_t i = 0; i < process->given_count; i++)
    add(parcel, snarli_given_descriptor(process->given[i].object));
  return 0;
}

/* The guard is held. The pid, with a descriptor for it, or -errno. */
static int ask(const snarl_process *process, int line, int preparation, int *sentinel) {
  struct parcel parcel;
  int error = pack(&parcel, process, line, preparation);
  if (error)
    return error;
  error = snarli_pass(server.line, &parcel.request, sizeof parcel.request, parcel.descriptors, parcel.count);
  if (parcel.directory >= 0)
    (void)snarli_system(SYS_close, parcel.directory);
  return error ? error : await_answer(sentinel);
}

/* The guard is held. With this end of the child's line; the child hears of it as soon as it can be waited for. */
static int order(snarl_process *process, struct snarli_life *life, int line[2], int preparation,
                 struct snarl_site *site) {
  int reserved = snarli_start_reserve(), sentinel = -1;
  if (reserved < 0)
    return snarli_start_failed(reserved);
  (void)snarli_system(SYS_close, reserved);
  snarli_streams_flush();
  uint32_t place = snarli_start_requested(SNARLI_F_SPAWN, site);
  int pid = ask(process, line[1], preparation, &sentinel);
  if (pid == -EPIPE || pid == -ECONNRESET)
    bury(site);
  snarli_start_ended(SNARLI_F_SPAWN, pid, place);
  if (pid < 0)
    return snarli_start_failed(pid);
  life->line = line[0];
  process->is_servers = true;
  snarli_life_begin(life, pid, sentinel);
  (void)snarli_pass(line[0], "", 1, NULL, 0);
  return SNARL_OK;
}

static int start(snarl_process *process, struct snarli_life *life, int preparation, struct snarl_site *site) {
  int line[2];
  snarli_guard(&guard);
  long result = snarli_system(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line);
  __atomic_store_n(&childs_end, result ? -1 : line[1], __ATOMIC_RELAXED);
  int status = result ? snarli_start_failed(result) : ensure(site);
  if (!status)
    status = order(process, life, line, preparation, site);
  __atomic_store_n(&childs_end, -1, __ATOMIC_RELAXED);
  snarli_unguard(&guard);
  if (!result)
    snarli_close_all(line + !status, 2 - !status);
  return status;
}

int snarli_start_by_server(snarl_process *process, const struct snarl_entry *entry, struct snarli_life *life,
                           struct snarl_site *site) {
  int preparation = snarli_preparation_write(process, entry);
  if (preparation < 0)
    return preparation;
  int status = start(process, life, preparation, site);
  (void)snarli_system(SYS_close, preparation);
  return status;
}

void snarli_server_end(void) {
  snarli_guard(&guard);
  if (server.pid)
    bury(SNARL_HERE);
  snarli_unguard(&guard);
}

/* It is the parent's. So is what another thread was starting: with a copy of its end here nobody would be told that the
 * server has hung up. */
void snarli_server_in_child(void) {
  guard = 0;
  if (childs_end >= 0)
    snarli_close_all(&childs_end, 1);
  childs_end = -1;
  if (server.pid)
    snarli_close_all((int[]){server.line, server.sentinel}, 2);
  server.pid = 0;
}
