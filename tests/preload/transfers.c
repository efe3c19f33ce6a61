/* SPDX-License-Identifier: MIT
 *
 * What calls on channels return, and what they leave in errno, in all the cases in which a wrapper could differ from
 * the real function: bad arguments, nothing there, no room, interrupted, closed, peeked at. Prints it; compare.sh runs
 * this with and without the shim. One thread and an interval timer.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>

#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wunused-result"

#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 77;                                                                                                        \
    long shown = (long)(call);                                                                                         \
    int after = errno;                                                                                                 \
    printf("%d %s -> %ld, errno %d\n", __LINE__, #call, shown, after);                                                 \
  } while (0)

static char bytes[1 << 17];
static const struct iovec many[2000];
static void *volatile bad = (void *)16;
static int volatile interruptions;

static void interrupt(int signal) {
  (void)signal;
  interruptions++;
}

/* Interrupts a call every few milliseconds until told to stop. */
static void interrupting(int is_on) {
  struct itimerval often = {{0, is_on ? 3000 : 0}, {0, is_on ? 3000 : 0}};
  setitimer(ITIMER_REAL, &often, NULL);
}

static void pipes(void) {
  int ends[2];
  struct iovec part[2] = {{bytes, 3}, {bytes + 3, 4}};
  SHOW(pipe(bad));
  SHOW(pipe2(ends, 12345));
  SHOW(pipe2(ends, O_NONBLOCK));
  SHOW(read(ends[0], bytes, 5));
  SHOW(read(ends[0], bytes, 0));
  SHOW(write(ends[1], bytes, 0));
  SHOW(write(ends[0], bytes, 5));
  SHOW(read(ends[1], bytes, 5));
  SHOW(write(ends[1], bad, 5));
  SHOW(writev(ends[1], part, 2));
  SHOW(writev(ends[1], bad, 2));
  SHOW(readv(ends[0], bad, 2));
  SHOW(readv(ends[0], many, 2000));
  SHOW(readv(ends[0], part, 2));
  SHOW(write(ends[1], bytes, sizeof bytes));
  SHOW(write(ends[1], bytes, 1));
  SHOW(fcntl(ends[1], F_GETPIPE_SZ));
  SHOW(fcntl(ends[1], F_SETPIPE_SZ, 131072));
  SHOW(write(ends[1], bytes, sizeof bytes));
  SHOW(tee(ends[0], ends[1], 5, 0));
  SHOW(splice(-1, NULL, ends[1], NULL, 5, 0));
  SHOW(vmsplice(ends[1], part, 1, SPLICE_F_NONBLOCK));
  SHOW(fcntl(ends[0], F_SETFL, 0));
  SHOW(close(ends[1]));
  SHOW(close(ends[1]));
  SHOW(read(ends[0], bytes, sizeof bytes));
  SHOW(read(ends[0], bytes, sizeof bytes));
  SHOW(close(ends[0]));
  SHOW(pipe(ends));
  SHOW(close(ends[0]));
  SHOW(write(ends[1], bytes, 1)); /* SIGPIPE is ignored */
  SHOW(close(ends[1]));
}

static void interrupted(void) {
  int ends[2], pair[2], event = eventfd(0, 0);
  struct pollfd set;
  fd_set in;
  eventfd_t value;
  SHOW(pipe(ends));
  SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  set = (struct pollfd){.fd = ends[0], .events = POLLIN};
  interrupting(1);
  SHOW(read(ends[0], bytes, 1));
  SHOW(recv(pair[0], bytes, 1, 0));
  SHOW(poll(&set, 1, -1));
  SHOW(ppoll(&set, 1, NULL, NULL));
  FD_ZERO(&in);
  FD_SET(ends[0], &in);
  SHOW(select(ends[0] + 1, &in, NULL, NULL, NULL));
  SHOW(eventfd_read(event, &value));
  SHOW(write(ends[1], bytes, 65536));
  SHOW(write(ends[1], bytes, 1));
  interrupting(0);
  SHOW(close(event));
  for (int i = 0; i < 2; i++) {
    SHOW(close(ends[i]));
    SHOW(close(pair[i]));
  }
}

static void sockets(void) {
  int pair[2];
  struct timeval soon = {0, 5000};
  SHOW(socketpair(AF_UNIX, 99, 0, pair));
  SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
  SHOW(recv(pair[0], bytes, 5, MSG_DONTWAIT));
  SHOW(send(pair[1], bytes, 5, 0));
  SHOW(send(pair[1], bytes, 0, 0));
  SHOW(recv(pair[0], bytes, 2, MSG_PEEK));
  SHOW(recv(pair[0], bytes, 2, MSG_TRUNC));
  SHOW(recv(pair[0], bytes, 2, MSG_DONTWAIT));
  SHOW(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
  SHOW(recv(pair[0], bytes, 2, 0));
  SHOW(recvmsg(pair[0], bad, 0));
  SHOW(sendmsg(pair[0], bad, 0));
  SHOW(recvmmsg(pair[0], bad, 1, 0, NULL));
  SHOW(shutdown(pair[1], 9));
  SHOW(shutdown(pair[1], SHUT_WR));
  SHOW(recv(pair[0], bytes, 2, 0));
  SHOW(send(pair[1], bytes, 5, MSG_NOSIGNAL));
  SHOW(sendto(pair[0], bytes, 5, 0, NULL, 0));
  SHOW(accept(pair[0], NULL, NULL));
  SHOW(connect(pair[0], bad, 5));
  SHOW(sendfile(pair[0], -1, NULL, 5));
  SHOW(close(pair[0]));
  SHOW(recv(pair[1], bytes, 8, 0));
  SHOW(close(pair[1]));
  SHOW(accept4(-1, NULL, NULL, 0));
  SHOW(shutdown(-1, SHUT_RD));
}

static void copies(void) {
  int ends[2];
  SHOW(pipe(ends));
  SHOW(dup(-1));
  SHOW(dup2(ends[0], ends[0]));
  SHOW(dup2(-1, ends[0]));
  SHOW(dup2(ends[0], -1));
  SHOW(dup3(ends[0], ends[0], 0));
  SHOW(dup2(ends[1], 90));
  SHOW(write(90, "abc", 3));
  SHOW(dup2(0, 90));
  SHOW(read(ends[0], bytes, 9));
  SHOW(fcntl(ends[0], F_DUPFD, 90));
  SHOW(fcntl(-1, F_DUPFD, 0));
  SHOW(fcntl(ends[0], F_GETFD));
  SHOW(fcntl(ends[0], 999));
  SHOW(close_range(95, 90, 0));
  SHOW(close_range(90, 95, CLOSE_RANGE_CLOEXEC));
  SHOW(fcntl(90, F_GETFD));
  SHOW(close_range(90, 95, 0));
  SHOW(fcntl(90, F_GETFD));
  SHOW(fclose(fdopen(ends[1], "w")));
  SHOW(read(ends[0], bytes, 9));
  SHOW(close(ends[0]));
  SHOW(close(-1));
  SHOW(open("/nowhere/at/all", O_RDONLY));
  SHOW(read(-1, bytes, 1));
  SHOW(write(12345678, bytes, 1));
}

static void polls(void) {
  int ends[2], set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = 5};
  SHOW(epoll_create(0));
  SHOW(pipe(ends));
  struct pollfd both[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLOUT}};
  SHOW(poll(both, 2, -1));
  SHOW(poll(both, 1, 0));
  SHOW(poll(bad, 1, -1));
  both[1].fd = -1;
  SHOW(poll(both, 2, 1));
  both[1].fd = 999;
  SHOW(poll(both, 2, -1));
  SHOW(both[1].revents);
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, 999, &event));
  SHOW(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[0], &event));
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], bad));
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event));
  SHOW(epoll_wait(set, &event, 1, 0));
  SHOW(epoll_wait(set, &event, 0, -1));
  SHOW(epoll_wait(ends[0], &event, 1, -1));
  SHOW(write(ends[1], "x", 1));
  SHOW(epoll_wait(set, &event, 1, -1));
  SHOW(event.data.u32);
  SHOW(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL));
  SHOW(close(set));
  SHOW(close(ends[0]));
  SHOW(close(ends[1]));
}

static void queues(void) {
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  struct timespec past = {1, 0};
  struct msqid_ds state;
  SHOW(mq_open("/snarl-nowhere", O_RDWR));
  mqd_t queue = mq_open("/snarl-transfers", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attributes);
  SHOW(queue >= 0);
  SHOW(mq_unlink("/snarl-transfers"));
  SHOW(mq_receive(queue, bytes, 8, NULL));
  SHOW(mq_receive(queue, bytes, 1, NULL));
  SHOW(mq_send(queue, bytes, 9, 0));
  SHOW(mq_send(queue, bytes, 8, 0));
  SHOW(mq_send(queue, bytes, 8, 0));
  SHOW(mq_setattr(queue, &(struct mq_attr){0}, NULL));
  SHOW(mq_timedsend(queue, bytes, 8, 0, &past));
  SHOW(mq_receive(queue, bytes, 8, NULL));
  SHOW(mq_timedreceive(queue, bytes, 8, NULL, &past));
  SHOW(mq_close(queue));
  SHOW(mq_close(queue));
  SHOW(mq_send(queue, bytes, 1, 0));
  SHOW(msgget(0x5ea7, 0600));
  int id = msgget(IPC_PRIVATE, 0600);
  SHOW(msgrcv(id, bytes, 8, 0, IPC_NOWAIT));
  SHOW(msgsnd(id, bytes, 8, 0)); /* its type is 0 */
  bytes[0] = 1;
  SHOW(msgsnd(id, bytes, 8, 0));
  SHOW(msgsnd(id, bad, 8, 0));
  SHOW(msgrcv(id, bytes, 4, 0, 0));
  SHOW(msgrcv(id, bytes, 8, 0, 0));
  SHOW(msgctl(id, IPC_STAT, &state));
  SHOW(msgctl(id, IPC_RMID, NULL));
  SHOW(msgsnd(id, bytes, 8, 0));
  SHOW(msgctl(id, IPC_RMID, NULL));
}

static void events(void) {
  eventfd_t value = 0;
  int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  SHOW(fd >= 0);
  SHOW(eventfd_read(fd, &value));
  SHOW(value);
  SHOW(eventfd_write(fd, 5));
  SHOW(eventfd_write(fd, (eventfd_t)-1));
  SHOW(read(fd, bytes, 4));
  SHOW(read(fd, bytes, 8));
  SHOW(write(fd, bad, 8));
  SHOW(read(fd, bad, 8));
  SHOW(close(fd));
  SHOW(pidfd_open(-5, 0));
}

int main(void) {
  struct sigaction action = {.sa_handler = interrupt};
  sigaction(SIGALRM, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  pipes();
  interrupted();
  sockets();
  copies();
  polls();
  queues();
  events();
  SHOW(interruptions > 0);
  return 0;
}
