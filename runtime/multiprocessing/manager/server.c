/* SPDX-License-Identifier: MIT
 *
 * The server of a manager: waits for its clients and for the end of its creator. The main thread of the server's
 * process, which is a fork of its creator and so begins by giving up what it has of that.
 */
#include "server.h"
#include "core/system.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { EVENTS = 64, ACCEPTS = 32, ROUNDS = 64, FIRST_FREE = 3 };

unsigned snarli_manager_socket_address(const char *name, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "snarl/%s", name);
  bool is_name = *name && length > 0 && (size_t)length < sizeof address->sun_path - 1;
  return is_name ? (unsigned)(offsetof(struct sockaddr_un, sun_path) + 1 + (unsigned)length) : 0;
}

/* Descriptors of the creator's: whoever waits for the end of a stream would wait for us as well. Closed by the C
 * library's function, so that a shim that listens knows. What belongs to the trace stays. */
static void give_up_descriptor(int fd, int keep) {
  char path[32], target[256];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  long size = snarli_system(SYS_readlinkat, AT_FDCWD, path, target, sizeof target - 1);
  target[size > 0 ? size : 0] = 0;
  const size_t suffix = sizeof SNARLI_FILE_SUFFIX - 1;
  bool is_traces = size > (long)suffix && !strcmp(target + size - suffix, SNARLI_FILE_SUFFIX);
  if (fd != keep && !is_traces)
    (void)close(fd);
}

/* In steps, as the list is read by a descriptor of its own. */
static void give_up_descriptors(int keep) {
  struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
  };
  char entries[4096] __attribute__((aligned(8)));
  long list = snarli_system(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  for (long size; list >= 0 && (size = snarli_system(SYS_getdents64, list, entries, sizeof entries)) > 0;)
    for (long at = 0; at < size; at += ((struct entry *)(void *)(entries + at))->size) {
      int fd = atoi(((struct entry *)(void *)(entries + at))->name);
      if (fd >= FIRST_FREE && fd != list)
        give_up_descriptor(fd, keep);
    }
  if (list >= 0)
    (void)snarli_system(SYS_close, list);
  long nowhere = snarli_system(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
  for (int fd = 0; nowhere >= 0 && fd < 2; fd++)
    (void)snarli_system(SYS_dup3, nowhere, fd, 0);
  if (nowhere >= FIRST_FREE)
    (void)snarli_system(SYS_close, nowhere);
}

/* The creator's handlers are for the creator. Whoever interrupts a program at its terminal ends it and so us; we are
 * needed until then. */
static void give_up_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int signal = 1; signal < NSIG; signal++)
    (void)sigaction(signal, &action, NULL);
  action.sa_handler = SIG_IGN;
  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGPIPE, &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static void raise_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
    return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int spare_descriptor(void) { return (int)snarli_system(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0); }

static bool watch(const struct manager_server *server, int fd, const void *tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)tag};
  return snarli_system(SYS_epoll_ctl, server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int listen_at(struct manager_server *server, const char *name) {
  struct sockaddr_un address;
  unsigned length = snarli_manager_socket_address(name, &address);
  server->listener = (int)snarli_system(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (server->listener < 0)
    return SNARL_NO_DESCRIPTOR;
  long error = snarli_system(SYS_bind, server->listener, &address, length);
  if (!error)
    error = snarli_system(SYS_listen, server->listener, 1 << 16); /* the kernel cuts it */
  return !error ? SNARL_OK : error == -EADDRINUSE ? SNARL_EXISTS : SNARL_DENIED;
}

/* An abstract address is the kernel's: nothing of it is left behind, however the server ends. */
static int open_server(struct manager_server *server, const char *name, const struct manager_region *region) {
  server->memory = region->fd;
  server->epoll = (int)snarli_system(SYS_epoll_create1, EPOLL_CLOEXEC);
  server->creator = (int)snarli_system(SYS_pidfd_open, server->creator_pid, 0);
  server->reserve = spare_descriptor();
  if ((int)getppid() != server->creator_pid)
    return SNARL_MANAGER_GONE;
  if (server->epoll < 0 || server->creator < 0 || server->reserve < 0)
    return SNARL_NO_DESCRIPTOR;
  if (getrandom(&server->store.seed, sizeof server->store.seed, 0) < 0)
    server->store.seed = (uint64_t)snarl_clock();
  int status = listen_at(server, name);
  if (!status &&
      !(watch(server, server->listener, &server->listener) && watch(server, server->creator, &server->creator)))
    status = SNARL_NO_MEMORY;
  return status;
}

static bool is_ours(int fd, int *pid) {
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t size = sizeof peer;
  long failed = snarli_system(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  *pid = peer.pid;
  return !failed && peer.uid == geteuid();
}

static void take_in(struct manager_server *server, int fd) {
  int pid;
  if (!is_ours(fd, &pid))
    snarli_peer_refuse(fd, SNARL_DENIED);
  else if (!snarli_peer_new(server, fd, pid))
    snarli_peer_refuse(fd, SNARL_NO_MEMORY);
}

/* No descriptor is left but the one in reserve: it is for telling the client so. */
static void turn_away(struct manager_server *server) {
  (void)snarli_system(SYS_close, server->reserve);
  long fd = snarli_system(SYS_accept4, server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0)
    snarli_peer_refuse((int)fd, SNARL_NO_DESCRIPTOR);
  server->reserve = spare_descriptor();
}

static void accept_some(struct manager_server *server) {
  for (int i = 0; i < ACCEPTS; i++) {
    long fd = snarli_system(SYS_accept4, server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd == -EMFILE || fd == -ENFILE)
      turn_away(server);
    if (fd < 0)
      return;
    take_in(server, (int)fd);
  }
}

/* It is asked again soon, perhaps. */
static void remember(struct manager_server *server, struct peer *peer) {
  for (uint32_t i = 0; i < server->hot_count; i++)
    if (server->hot[i] == peer)
      return;
  if (server->hot_count < MANAGER_HOT)
    server->hot[server->hot_count++] = peer;
}

static void dispatch(struct manager_server *server, const struct epoll_event *event) {
  if (event->data.ptr == &server->listener) {
    accept_some(server);
  } else if (event->data.ptr == &server->creator) {
    server->is_over = true;
  } else {
    struct peer *peer = (struct peer *)event->data.ptr;
    enum peer_outcome outcome = peer->out.size ? snarli_peer_send(server, peer) : snarli_peer_receive(server, peer);
    if (outcome == PEER_SERVED)
      remember(server, peer);
  }
}

static bool ask_hot(struct manager_server *server) {
  bool has_served = false;
  for (uint32_t i = server->hot_count; i--;)
    if (i < server->hot_count) /* whoever goes makes room for the last */
      has_served |= snarli_peer_receive(server, server->hot[i]) == PEER_SERVED;
  return has_served;
}

/* Looks for more from those who asked lately. True: it was worth it, and others are to have their turn without a
 * sleep. */
static bool look_around(struct manager_server *server) {
  int rounds = 0;
  while (rounds < ROUNDS && server->hot_count && !server->is_over) {
    uint32_t looks = manager_looks(&server->spin, server->processor);
    bool has_served = false;
    for (uint32_t i = 0; i < looks && !has_served; i += server->hot_count + !server->hot_count)
      has_served = ask_hot(server);
    if (looks)
      manager_looked(&server->spin, has_served);
    if (!has_served) {
      server->hot_count = 0;
      return false;
    }
    rounds++;
  }
  return rounds;
}

static void run(struct manager_server *server) {
  struct epoll_event events[EVENTS];
  while (!server->is_over) {
    int timeout = look_around(server) || server->is_over ? 0 : -1;
    long count = snarli_system(SYS_epoll_pwait, server->epoll, events, EVENTS, timeout, NULL, 0);
    for (long i = 0; i < count && !server->is_over; i++)
      dispatch(server, &events[i]);
  }
}

int snarli_manager_serve(const char *name, const struct manager_region *region, int creator_pid) {
  static struct manager_server server;
  server.creator_pid = creator_pid;
  give_up_signals();
  give_up_descriptors(region->fd);
  raise_limit();
  int status = open_server(&server, name, region);
  snarli_region_say(region, status ? status : 1);
  if (!status)
    run(&server);
  snarli_manager_store_free(&server.store);
  snarli_pack_free(&server.reply);
  return status ? 1 : 0;
}
