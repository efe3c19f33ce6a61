/* SPDX-License-Identifier: MIT
 *
 * The fork server's own process (see server.h). It has one thread, which blocks all signals: it is its creator's end
 * that ends it. Of a child it keeps the pid and the line for the exit code.
 */
#include "server.h"
#include "child.h"
#include "core/runtime.h"
#include "core/system.h"
#include "image.h"
#include "passing.h"
#include "start.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { LINE = SNARLI_IMAGE_HANDED };

struct child {
  int pid, line;
};

static struct child *children;
static size_t child_count, child_room;
static int creator, creator_pid, ended_children;

/* False: no memory for another one. */
static bool make_room(void) {
  if (child_count < child_room)
    return true;
  size_t room = child_room ? 2 * child_room : 16;
  struct child *more = realloc(children, room * sizeof *more);
  if (!more)
    return false;
  children = more;
  child_room = room;
  return true;
}

static void tell(const siginfo_t *info) {
  struct snarli_server_code code = {info->si_code == CLD_EXITED ? info->si_status : -info->si_status};
  for (size_t i = 0; i < child_count; i++)
    if (children[i].pid == info->si_pid) {
      (void)snarli_pass(children[i].line, &code, sizeof code, NULL, 0); /* its creator may ask no more */
      (void)snarli_system(SYS_close, children[i].line);
      children[i] = children[--child_count];
      return;
    }
}

static void reap(void) {
  struct signalfd_siginfo signal;
  (void)snarli_system(SYS_read, ended_children, &signal, sizeof signal);
  for (siginfo_t info = {0}; !snarli_system(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, NULL) && info.si_pid;
       info = (siginfo_t){0})
    tell(&info);
}

/* What came with a request. */
struct order {
  struct snarli_server_request request;
  int passed[SNARLI_SERVER_PASSED], count;
  int line, directory, preparation, streams[3];
  const int *handed;
};

/* False: that is no request. */
static bool order_read(struct order *order) {
  int at = 0, *passed = order->passed;
  order->line = passed[at++];
  order->directory = order->request.has_directory ? passed[at++] : -1;
  for (int stream = 0; stream < 3; stream++)
    order->streams[stream] = order->request.streams & 1 << stream ? passed[at++] : -1;
  order->preparation = passed[at++];
  order->handed = passed + at;
  return at <= order->count;
}

/* The shim, if there is one, is to see what numbers stand for: so libc's functions. */
static void set_streams(const struct order *order) {
  for (int stream = 0; stream < 3; stream++)
    if (order->streams[stream] >= 0) {
      (void)dup2(order->streams[stream], stream);
      (void)close(order->streams[stream]);
    } else {
      (void)close(stream);
    }
}

static void set_environment(const struct snarli_preparation *preparation) {
  char **variables = calloc((size_t)preparation->environment_count + 1, sizeof *variables);
  char *at = snarli_preparation_text(preparation, preparation->environment);
  for (uint32_t i = 0; variables && i < preparation->environment_count; i++, at += strlen(at) + 1)
    variables[i] = at;
  if (variables)
    environ = variables;
}

static void close_servers(void) {
  (void)close(LINE);
  (void)close(ended_children);
  for (size_t i = 0; i < child_count; i++)
    (void)close(children[i].line);
  free(children);
}

/* Ends the process if nobody wants it any more. */
static void await_creator(int line) {
  char go;
  long got;
  do
    got = snarli_system(SYS_read, line, &go, sizeof go);
  while (got == -EINTR);
  if (got != sizeof go) {
    snarli_suspend();
    _exit(EXIT_FAILURE);
  }
  (void)close(line);
}

static _Noreturn void child_runs(struct order *order) {
  snarli_after_fork_in_child();
  snarli_image_made_for((uint32_t)creator_pid);
  close_servers();
  await_creator(order->line);
  set_streams(order);
  if (order->directory >= 0) {
    (void)!fchdir(order->directory);
    (void)close(order->directory);
  }
  struct snarli_preparation *preparation = snarli_preparation_read(order->preparation);
  if (!preparation)
    _exit(EXIT_FAILURE);
  for (uint32_t i = 0; i < preparation->handed_count; i++)
    preparation->handed[i].fd = order->handed[i];
  set_environment(preparation);
  (void)snarli_system(SYS_rt_sigprocmask, SIG_SETMASK, &preparation->blocked, NULL, sizeof preparation->blocked);
  snarli_child_leave(snarli_child_run_prepared(preparation, creator), SNARL_HERE);
}

/* The pid, or -errno. */
static int fork_child(struct order *order) {
  if (!make_room())
    return -ENOMEM;
  int pid = snarli_fork_unseen();
  if (!pid)
    child_runs(order);
  return pid;
}

static void serve(struct order *order) {
  struct snarli_server_answer answer = {order_read(order) ? fork_child(order) : -EPROTO};
  bool is_forked = answer.pid > 0;
  int pidfd = -1;
  if (is_forked) {
    children[child_count++] = (struct child){answer.pid, order->line};
    pidfd = (int)snarli_system(SYS_pidfd_open, answer.pid, 0);
    answer.pid = pidfd < 0 ? pidfd : answer.pid; /* its creator hangs up, and it ends */
  }
  (void)snarli_pass(LINE, &answer, sizeof answer, &pidfd, pidfd >= 0);
  if (pidfd >= 0)
    (void)snarli_system(SYS_close, pidfd);
  snarli_close_all(order->passed + is_forked, order->count - is_forked); /* all but the line */
}

/* A request that finds no numbers for its descriptors is answered, and goes on no further. */
static void take(void) {
  struct order order;
  order.count = snarli_take(LINE, &order.request, sizeof order.request, order.passed, SNARLI_SERVER_PASSED);
  if (order.count == -EPIPE || order.count == -ECONNRESET)
    snarli_child_leave(EXIT_SUCCESS, SNARL_HERE);
  if (order.count > 0)
    serve(&order);
  else
    (void)snarli_pass(LINE, &(struct snarli_server_answer){order.count ? order.count : -EPROTO},
                      sizeof(struct snarli_server_answer), NULL, 0);
}

/* Nothing that its creator may close is kept open by it. */
static void leave_creator(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream < 3; stream++)
    if (null >= 0)
      (void)dup2(null, stream);
  if (null > 2)
    (void)close(null);
}

static void name_server(const char *name) {
  (void)snarli_system(SYS_prctl, PR_SET_NAME, name, 0, 0, 0);
  if (snarli_records())
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, (uint64_t)pthread_self(), snarli_blob_string(name, strlen(name)));
}

/* False: the creator has ended, or a descriptor is missing. */
static bool begin(const struct snarli_preparation *preparation) {
  uint64_t all = ~0ull, child = 1ull << (SIGCHLD - 1);
  (void)snarli_system(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
  (void)snarli_system(SYS_fcntl, LINE, F_SETFD, FD_CLOEXEC);
  creator_pid = preparation->parent;
  creator = (int)snarli_system(SYS_pidfd_open, creator_pid, 0);
  ended_children = (int)snarli_system(SYS_signalfd4, -1, &child, sizeof child, SFD_CLOEXEC | SFD_NONBLOCK);
  leave_creator();
  name_server(snarli_preparation_text(preparation, preparation->name));
  return creator >= 0 && ended_children >= 0 && (int)getppid() == creator_pid;
}

_Noreturn void snarli_server_run(struct snarli_preparation *preparation) {
  if (!begin(preparation))
    snarli_child_leave(EXIT_FAILURE, SNARL_HERE);
  struct pollfd polled[] = {{LINE, POLLIN, 0}, {creator, POLLIN, 0}, {ended_children, POLLIN, 0}};
  for (;;) {
    if (snarli_poll(polled, 3, SNARLI_NEVER) < 0)
      continue;
    if (polled[1].revents)
      snarli_child_leave(EXIT_SUCCESS, SNARL_HERE);
    if (polled[2].revents)
      reap();
    if (polled[0].revents)
      take();
  }
}
