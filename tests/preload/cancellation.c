/* SPDX-License-Identifier: MIT
 *
 * Cancellation in every wrapped cancellation point, requested before the call and during it, and what is held then.
 * Prints it; compare.sh runs this with and without the shim. The canceller waits until /proc says that the thread
 * sleeps, so that it is cancelled in the call; the output does not depend on when.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static mtx_t mtx;
static cnd_t cnd;
static sem_t sem, full;
static pthread_t joined;
static pid_t child;
static int file; /* locked by the child */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct timespec far = {4000000000, 0};

static void held(void *unused) {
  (void)unused;
  printf("  cleanup: unlocking gives %d\n", pthread_mutex_unlock(&checked));
}
static void held_c11(void *unused) {
  (void)unused;
  printf("  cleanup: unlocking gives %d\n", mtx_unlock(&mtx));
}

#define HOLDING(lock, cleanup, call)                                                                                   \
  do {                                                                                                                 \
    lock;                                                                                                              \
    pthread_cleanup_push(cleanup, NULL);                                                                               \
    for (;;)                                                                                                           \
      call;                                                                                                            \
    pthread_cleanup_pop(0);                                                                                            \
  } while (0)

static void in_cond_wait(void) { HOLDING(pthread_mutex_lock(&checked), held, pthread_cond_wait(&cond, &checked)); }
static void in_cond_timedwait(void) {
  HOLDING(pthread_mutex_lock(&checked), held, pthread_cond_timedwait(&cond, &checked, &far));
}
static void in_cond_clockwait(void) {
  HOLDING(pthread_mutex_lock(&checked), held, pthread_cond_clockwait(&cond, &checked, CLOCK_MONOTONIC, &far));
}
static void in_cnd_wait(void) { HOLDING(mtx_lock(&mtx), held_c11, cnd_wait(&cnd, &mtx)); }
static void in_cnd_timedwait(void) { HOLDING(mtx_lock(&mtx), held_c11, cnd_timedwait(&cnd, &mtx, &far)); }
static void in_sem_wait(void) { sem_wait(&sem); }
static void in_sem_timedwait(void) { sem_timedwait(&sem, &far); }
static void in_sem_clockwait(void) { sem_clockwait(&sem, CLOCK_MONOTONIC, &far); }
static void in_full_sem_wait(void) { sem_wait(&full); }
static void in_join(void) { pthread_join(joined, NULL); }
static void in_timedjoin(void) { pthread_timedjoin_np(joined, NULL, &far); }
static void in_clockjoin(void) { pthread_clockjoin_np(joined, NULL, CLOCK_MONOTONIC, &far); }
static void in_wait(void) { wait(NULL); }
static void in_waitpid(void) { waitpid(child, NULL, 0); }
static void in_wait4(void) { wait4(child, NULL, 0, NULL); }
static void in_waitid(void) { waitid(P_PID, (id_t)child, NULL, WEXITED); }
static void in_fcntl(void) {
  struct flock bytes = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  fcntl(file, F_OFD_SETLKW, &bytes);
}
static void in_lockf(void) { lockf(file, F_LOCK, 0); }
static void in_routine(void) { sem_wait(&sem); }
static void in_once(void) { pthread_once(&once, in_routine); }
static int empty[2], full_pipe[2], pair[2], event, epoll, id;
static mqd_t queue;
static char byte[4096];
static struct pollfd pollfd = {.events = POLLIN};
static void in_read(void) { (void)!read(empty[0], byte, 1); }
static void in_write(void) { (void)!write(full_pipe[1], byte, sizeof byte); }
static void in_recv(void) { recv(pair[0], byte, 1, 0); }
static void in_recvmsg(void) { (void)recvmsg(pair[0], &(struct msghdr){0}, 0); }
static void in_eventfd_read(void) { eventfd_read(event, &(eventfd_t){0}); }
static void in_poll(void) { poll(&pollfd, 1, -1); }
static void in_select(void) {
  fd_set in;
  FD_ZERO(&in);
  FD_SET(empty[0], &in);
  select(empty[0] + 1, &in, NULL, NULL, NULL);
}
static void in_epoll_wait(void) { epoll_wait(epoll, &(struct epoll_event){0}, 1, -1); }
static void in_splice(void) { splice(empty[0], NULL, full_pipe[1], NULL, 1, 0); }
static void in_mq_receive(void) { mq_receive(queue, byte, sizeof byte, NULL); }
static void in_msgrcv(void) { msgrcv(id, byte, 8, 0, 0); }

static void channels_make(void) {
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = sizeof byte};
  struct epoll_event wanted = {.events = EPOLLIN};
  if (pipe(empty) || pipe(full_pipe) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
    exit(2);
  while (fcntl(full_pipe[1], F_SETFL, O_NONBLOCK) == 0 && write(full_pipe[1], byte, sizeof byte) > 0)
    ;
  fcntl(full_pipe[1], F_SETFL, 0);
  event = eventfd(0, 0);
  epoll = epoll_create1(0);
  epoll_ctl(epoll, EPOLL_CTL_ADD, empty[0], &wanted);
  pollfd.fd = empty[0];
  queue = mq_open("/snarl-cancellation", O_CREAT | O_RDWR, 0600, &attributes);
  mq_unlink("/snarl-cancellation");
  id = msgget(IPC_PRIVATE, 0600);
}

static const struct {
  const char *name;
  void (*call)(void);
} points[] = {{"pthread_cond_wait", in_cond_wait},
              {"pthread_cond_timedwait", in_cond_timedwait},
              {"pthread_cond_clockwait", in_cond_clockwait},
              {"cnd_wait", in_cnd_wait},
              {"cnd_timedwait", in_cnd_timedwait},
              {"sem_wait", in_sem_wait},
              {"sem_timedwait", in_sem_timedwait},
              {"sem_clockwait", in_sem_clockwait},
              {"pthread_join", in_join},
              {"pthread_timedjoin_np", in_timedjoin},
              {"pthread_clockjoin_np", in_clockjoin},
              {"wait", in_wait},
              {"read", in_read},
              {"write", in_write},
              {"recv", in_recv},
              {"recvmsg", in_recvmsg},
              {"eventfd_read", in_eventfd_read},
              {"poll", in_poll},
              {"select", in_select},
              {"epoll_wait", in_epoll_wait},
              {"splice", in_splice},
              {"mq_receive", in_mq_receive},
              {"msgrcv", in_msgrcv},
              {"waitpid", in_waitpid},
              {"wait4", in_wait4},
              {"waitid", in_waitid},
              {"fcntl", in_fcntl},
              {"lockf", in_lockf},
              {"pthread_once", in_once}};

static _Atomic int canceled_tid;

static void *cancelled_within(void *point) {
  canceled_tid = (int)syscall(SYS_gettid);
  points[(size_t)point].call();
  return NULL;
}

static void *cancelled_before(void *call) {
  pthread_cancel(pthread_self());
  ((void (*)(void))call)();
  return NULL;
}

static int is_asleep(int tid) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  FILE *file = fopen(path, "r");
  if (!file)
    return 0;
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = 0;
  const char *state = strrchr(text, ')');
  return state && state[2] == 'S';
}

static void cancel_within(size_t point) {
  pthread_t thread;
  void *result = NULL;
  printf("%s\n", points[point].name);
  canceled_tid = 0;
  pthread_create(&thread, NULL, cancelled_within, (void *)point);
  while (!canceled_tid || !is_asleep(canceled_tid))
    sched_yield();
  int error = pthread_cancel(thread);
  int join_error = pthread_join(thread, &result);
  printf("  %d %d, %s\n", error, join_error, result == PTHREAD_CANCELED ? "cancelled" : "returned");
}

static void cancel_before(const char *name, void (*call)(void)) {
  pthread_t thread;
  void *result = NULL;
  pthread_create(&thread, NULL, cancelled_before, (void *)call);
  pthread_join(thread, &result);
  printf("%s, requested before: %s\n", name, result == PTHREAD_CANCELED ? "cancelled" : "returned");
}

static void *live_on(void *unused) {
  sem_wait(&sem);
  return unused;
}
static void count_run(void) { printf("the once runs again\n"); }

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  sem_init(&sem, 0, 0);
  sem_init(&full, 0, 3);
  mtx_init(&mtx, mtx_plain);
  cnd_init(&cnd);
  int ends[2];
  char byte;
  file = memfd_create("cancellation", 0);
  child = pipe(ends) == 0 ? fork() : -1;
  if (child == 0) {
    ssize_t written = lockf(file, F_LOCK, 0) == 0 ? write(ends[1], "x", 1) : -1;
    while (written == 1) /* NOLINT(bugprone-infinite-loop): until it is killed */
      pause();
  }
  printf("locked: %zd\n", read(ends[0], &byte, 1));
  pthread_create(&joined, NULL, live_on, NULL);
  channels_make();
  for (size_t i = 0; i < sizeof points / sizeof *points; i++)
    cancel_within(i);
  pthread_once(&once, count_run);
  cancel_before("sem_wait that need not block", in_full_sem_wait);
  int value = 0;
  sem_getvalue(&full, &value);
  printf("the semaphore is left at %d\n", value);
  cancel_before("pthread_cond_wait", in_cond_wait);
  cancel_before("waitpid", in_waitpid);
  cancel_before("read", in_read);
  cancel_before("poll", in_poll);
  msgctl(id, IPC_RMID, NULL);
  cancel_before("fcntl", in_fcntl);
  cancel_before("lockf", in_lockf);
  kill(child, SIGKILL);
  printf("child awaited: %d\n", waitpid(child, NULL, 0) == child);
  sem_post(&sem);
  printf("joined: %d\n", pthread_join(joined, NULL));
  return 0;
}
