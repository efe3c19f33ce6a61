/* SPDX-License-Identifier: MIT
 *
 * The drivers of what passes bytes and messages; a part of engage.c. Fortified names are called as fortified programs
 * call them.
 */

static char bytes[64];

/* A pipe, or a pair of sockets, with five bytes to receive at [0]. */
static void filled_pipe(int ends[2]) { MUST(pipe(ends) == 0 && write(ends[1], "hello", 5) == 5); }
static void filled_pair(int ends[2]) {
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && write(ends[1], "hello", 5) == 5);
}
static void close_both(const int ends[2]) { MUST(close(ends[0]) == 0 && close(ends[1]) == 0); }

#define DRIVE_RECEIVE(name, fill, call)                                                                                \
  DRIVE(name, "channel-received") {                                                                                    \
    int ends[2];                                                                                                       \
    struct iovec part = {bytes, 5};                                                                                    \
    (void)part;                                                                                                        \
    fill(ends);                                                                                                        \
    MUST((call) == 5);                                                                                                 \
    close_both(ends);                                                                                                  \
  }
DRIVE_RECEIVE(read, filled_pipe, read(ends[0], bytes, 5))
DRIVE_RECEIVE(__read_chk, filled_pipe, __read_chk(ends[0], bytes, 5, sizeof bytes))
DRIVE_RECEIVE(readv, filled_pipe, readv(ends[0], &part, 1))
DRIVE_RECEIVE(recv, filled_pair, recv(ends[0], bytes, 5, 0))
DRIVE_RECEIVE(__recv_chk, filled_pair, __recv_chk(ends[0], bytes, 5, sizeof bytes, 0))
DRIVE_RECEIVE(recvfrom, filled_pair, recvfrom(ends[0], bytes, 5, 0, NULL, NULL))
DRIVE_RECEIVE(__recvfrom_chk, filled_pair, __recvfrom_chk(ends[0], bytes, 5, sizeof bytes, 0, NULL, NULL))
DRIVE_RECEIVE(recvmsg, filled_pair, recvmsg(ends[0], &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1}, 0))

#define DRIVE_SEND(name, make, call)                                                                                   \
  DRIVE(name, "channel-sent") {                                                                                        \
    int ends[2];                                                                                                       \
    struct iovec part = {bytes, 5};                                                                                    \
    (void)part;                                                                                                        \
    MUST((make) == 0);                                                                                                 \
    MUST((call) == 5);                                                                                                 \
    close_both(ends);                                                                                                  \
  }
#define PAIR socketpair(AF_UNIX, SOCK_STREAM, 0, ends)
DRIVE_SEND(write, pipe(ends), write(ends[1], bytes, 5))
DRIVE_SEND(writev, pipe(ends), writev(ends[1], &part, 1))
DRIVE_SEND(send, PAIR, send(ends[1], bytes, 5, 0))
DRIVE_SEND(sendto, PAIR, sendto(ends[1], bytes, 5, 0, NULL, 0))
DRIVE_SEND(vmsplice, pipe(ends), vmsplice(ends[1], &part, 1, 0))

/* A message that carries an end of a pipe. */
DRIVE(sendmsg, "channel-sent channel-passed") {
  int ends[2];
  char room[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {bytes, 5};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  MUST(PAIR == 0);
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  memcpy(CMSG_DATA(head), &ends[0], sizeof(int));
  MUST(sendmsg(ends[1], &message, 0) == 5);
  close_both(ends);
}
DRIVE(sendmmsg, "channel-sent") {
  int ends[2];
  struct iovec part = {bytes, 5};
  struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
  messages[1] = messages[0];
  MUST(PAIR == 0 && sendmmsg(ends[1], messages, 2, 0) == 2);
  close_both(ends);
}
DRIVE(recvmmsg, "channel-received") {
  int ends[2];
  struct iovec part = {bytes, 5};
  struct mmsghdr messages[1] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
  filled_pair(ends);
  MUST(recvmmsg(ends[0], messages, 1, 0, NULL) == 1);
  close_both(ends);
}

static int some_file(void) {
  int fd = open("/bin/true", O_RDONLY);
  MUST(fd >= 0);
  return fd;
}
DRIVE(splice, "channel-sent") {
  int ends[2], file = some_file();
  MUST(pipe(ends) == 0 && splice(file, NULL, ends[1], NULL, 5, 0) == 5);
  close_both(ends);
  close(file);
}
DRIVE(tee, "channel-sent channel-sent channel-received") {
  int from[2], to[2];
  filled_pipe(from);
  MUST(pipe(to) == 0 && tee(from[0], to[1], 5, 0) == 5 && read(to[0], bytes, 9) == 5);
  close_both(from);
  close_both(to);
}
DRIVE(sendfile, "channel-sent") {
  int ends[2], file = some_file();
  MUST(PAIR == 0 && sendfile(ends[1], file, NULL, 5) == 5);
  close_both(ends);
  close(file);
}
DRIVE(sendfile64, "channel-sent") {
  int ends[2], file = some_file();
  MUST(PAIR == 0 && sendfile64(ends[1], file, NULL, 5) == 5);
  close_both(ends);
  close(file);
}

DRIVE(eventfd_read, "channel-received") {
  eventfd_t value;
  int fd = eventfd(3, 0);
  MUST(fd >= 0 && eventfd_read(fd, &value) == 0 && value == 3 && close(fd) == 0);
}
DRIVE(eventfd_write, "channel-sent") {
  int fd = eventfd(0, 0);
  MUST(fd >= 0 && eventfd_write(fd, 7) == 0 && close(fd) == 0);
}

/* A wait is to be seen after it took a while; a thread ends it. Twice: what the waiter slept for at first may have been
 * a lock of the stack walk, which this thread shares. */
static void *write_late(void *end) {
  struct timespec late = {0, 30000000};
  for (int i = 0; i < 2; i++) {
    await_sleep(getpid());
    nanosleep(&late, NULL);
  }
  MUST(write(*(int *)end, "x", 1) == 1);
  return NULL;
}
#define DRIVE_POLL(name, call)                                                                                         \
  DRIVE(name, "channel-polled channel-poll-requested channel-poll-returned") {                                         \
    int ends[2];                                                                                                       \
    pthread_t thread;                                                                                                  \
    MUST(pipe(ends) == 0 && pthread_create(&thread, NULL, write_late, &ends[1]) == 0);                                 \
    struct pollfd set = {.fd = ends[0], .events = POLLIN};                                                             \
    fd_set in;                                                                                                         \
    FD_ZERO(&in);                                                                                                      \
    FD_SET(ends[0], &in);                                                                                              \
    struct epoll_event event = {.events = EPOLLIN};                                                                    \
    int epoll = epoll_create1(0);                                                                                      \
    (void)set;                                                                                                         \
    MUST(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);                                         \
    MUST((call) == 1 && pthread_join(thread, NULL) == 0);                                                              \
    close_both(ends);                                                                                                  \
    close(epoll);                                                                                                      \
  }
DRIVE_POLL(poll, poll(&set, 1, -1))
DRIVE_POLL(__poll_chk, __poll_chk(&set, 1, -1, sizeof set))
DRIVE_POLL(ppoll, ppoll(&set, 1, NULL, NULL))
DRIVE_POLL(__ppoll_chk, __ppoll_chk(&set, 1, NULL, NULL, sizeof set))
DRIVE_POLL(select, select(ends[0] + 1, &in, NULL, NULL, NULL))
DRIVE_POLL(pselect, pselect(ends[0] + 1, &in, NULL, NULL, NULL, NULL))
DRIVE_POLL(epoll_wait, epoll_wait(epoll, &event, 1, -1))
DRIVE_POLL(epoll_pwait, epoll_pwait(epoll, &event, 1, -1, NULL))
DRIVE_POLL(epoll_pwait2, epoll_pwait2(epoll, &event, 1, NULL, NULL))
DRIVE(epoll_ctl, "channel-watched channel-watched") {
  int ends[2], epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT};
  MUST(pipe(ends) == 0 && epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event) == 0);
  MUST(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], NULL) == 0);
  close_both(ends);
  close(epoll);
}

DRIVE(pipe, "channel-opened channel-opened channel-closed channel-closed") {
  int ends[2];
  MUST(pipe(ends) == 0);
  close_both(ends);
}
/* The program's own pipe gets the lowest numbers; the pipe of the recorder's stack walk was moved out of the way. */
static int pipes_between(int from, int to) {
  int pipes = 0;
  for (int fd = from; fd < to; fd++) {
    char link[64], target[64] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    pipes += readlink(link, target, sizeof target - 1) > 0 && strncmp(target, "pipe:", 5) == 0;
  }
  return pipes;
}
DRIVE(pipe2, "mutex-acquired channel-opened channel-opened") {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  MUST(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
  int ends[2], lowest = dup(STDIN_FILENO);
  MUST(lowest >= 0 && close(lowest) == 0);
  MUST(pipe2(ends, O_CLOEXEC) == 0);
  MUST(ends[0] == lowest);
  MUST(pipes_between(700, 1100) == 2);
  close_both(ends);
}
DRIVE(socketpair, "channel-opened channel-opened") {
  int ends[2];
  MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
  close_both(ends);
}

/* A connection within the machine, and what is received through it. */
static int listening(struct sockaddr_in *address) {
  socklen_t size = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  MUST(fd >= 0 && bind(fd, (struct sockaddr *)address, size) == 0 && listen(fd, 1) == 0);
  MUST(getsockname(fd, (struct sockaddr *)address, &size) == 0);
  return fd;
}
#define DRIVE_CONNECTION(name, take)                                                                                   \
  DRIVE(name, "channel-opened channel-opened channel-sent channel-received channel-shut") {                            \
    struct sockaddr_in address;                                                                                        \
    int listener = listening(&address), ends[2];                                                                       \
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);                                                                         \
    MUST(connect(ends[0], (struct sockaddr *)&address, sizeof address) == 0);                                          \
    ends[1] = take;                                                                                                    \
    MUST(ends[1] >= 0 && send(ends[1], "x", 1, 0) == 1 && recv(ends[0], bytes, 1, 0) == 1);                            \
    MUST(shutdown(ends[0], SHUT_WR) == 0);                                                                             \
    close_both(ends);                                                                                                  \
    close(listener);                                                                                                   \
  }
DRIVE_CONNECTION(accept, accept(listener, NULL, NULL))
DRIVE_CONNECTION(accept4, accept4(listener, NULL, NULL, SOCK_CLOEXEC))
DRIVE_CONNECTION(connect, accept(listener, NULL, NULL))
DRIVE_CONNECTION(shutdown, accept(listener, NULL, NULL))
DRIVE(setsockopt, "channel-opened channel-received") {
  int ends[2];
  struct timeval soon = {1, 0};
  filled_pair(ends);
  MUST(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0 && recv(ends[0], bytes, 5, 0) == 5);
  close_both(ends);
}

#define DRIVE_MADE(name, call)                                                                                         \
  DRIVE(name, "channel-opened channel-closed") {                                                                       \
    int fd = (call);                                                                                                   \
    MUST(fd >= 0 && close(fd) == 0);                                                                                   \
  }
DRIVE_MADE(eventfd, eventfd(0, EFD_NONBLOCK))
DRIVE_MADE(epoll_create, epoll_create(1))
DRIVE_MADE(epoll_create1, epoll_create1(EPOLL_CLOEXEC))
DRIVE_MADE(pidfd_open, pidfd_open(getpid(), 0))

/* They leave nothing; but a descriptor with the number of an old channel is none. A close that nobody saw: */
static void close_unseen(int fd) {
  void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  MUST(libc != NULL);
  long (*real)(long, ...) = (long (*)(long, ...))dlsym(libc, "syscall");
  MUST(real(SYS_close, fd) == 0 && dlclose(libc) == 0);
}
static int unseen_number(void) {
  int ends[2];
  MUST(pipe(ends) == 0 && close(ends[1]) == 0 && ends[0] < ends[1]);
  close_unseen(ends[0]);
  return ends[0];
}
static int write_nothing_of(int fd, int is_file) {
  MUST(fd >= 0 && (!is_file || write(fd, "x", 1) == 1));
  return close(fd);
}
#define DRIVE_OPEN(name, is_file, call)                                                                                \
  DRIVE(name, "channel-opened") {                                                                                      \
    int number = unseen_number(), fd = (call);                                                                         \
    MUST(fd == number && write_nothing_of(fd, is_file) == 0);                                                          \
  }
static const char *const null = "/dev/null";
DRIVE_OPEN(socket, 0, socket(AF_INET, SOCK_DGRAM, 0))
DRIVE_OPEN(timerfd_create, 0, timerfd_create(CLOCK_MONOTONIC, 0))
DRIVE_OPEN(signalfd, 0, signalfd(-1, &(sigset_t){0}, 0))
DRIVE_OPEN(open, 1, open(null, O_WRONLY))
DRIVE_OPEN(open64, 1, open64(null, O_WRONLY))
DRIVE_OPEN(openat, 1, openat(AT_FDCWD, null, O_WRONLY))
DRIVE_OPEN(openat64, 1, openat64(AT_FDCWD, null, O_WRONLY))
DRIVE_OPEN(__open_2, 1, __open_2(null, O_WRONLY))
DRIVE_OPEN(__open64_2, 1, __open64_2(null, O_WRONLY))
DRIVE_OPEN(__openat_2, 1, __openat_2(AT_FDCWD, null, O_WRONLY))
DRIVE_OPEN(__openat64_2, 1, __openat64_2(AT_FDCWD, null, O_WRONLY))
DRIVE_OPEN(creat, 1, creat(null, 0600))
DRIVE_OPEN(creat64, 1, creat64(null, 0600))

#define DRIVE_COPY(name, call)                                                                                         \
  DRIVE(name, "channel-duplicated channel-sent channel-closed") {                                                      \
    int ends[2], fd;                                                                                                   \
    MUST(pipe(ends) == 0);                                                                                             \
    fd = (call);                                                                                                       \
    MUST(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);                                                         \
    close_both(ends);                                                                                                  \
  }
DRIVE_COPY(dup, dup(ends[1]))
DRIVE_COPY(dup2, dup2(ends[1], 700))
DRIVE_COPY(dup3, dup3(ends[1], 700, O_CLOEXEC))
DRIVE_COPY(fcntl, fcntl(ends[1], F_DUPFD, 600))
DRIVE_COPY(fcntl64, fcntl64(ends[1], F_DUPFD_CLOEXEC, 600))

DRIVE(close, "channel-closed channel-closed") {
  int ends[2];
  MUST(pipe(ends) == 0);
  close_both(ends);
}
DRIVE(fclose, "channel-closed channel-closed") {
  int ends[2];
  MUST(pipe(ends) == 0 && fclose(fdopen(ends[1], "w")) == 0 && close(ends[0]) == 0);
}
DRIVE(pclose, "channel-opened channel-closed") {
  FILE *stream = popen("true", "r");
  MUST(stream && read(fileno(stream), bytes, 1) == 0 && pclose(stream) == 0);
}
static void close_by_reopening(FILE *(*reopen)(const char *, const char *, FILE *)) {
  int ends[2];
  MUST(pipe(ends) == 0);
  FILE *stream = fdopen(ends[1], "w");
  MUST(stream && reopen(null, "w", stream) == stream && fclose(stream) == 0 && close(ends[0]) == 0);
}
DRIVE(freopen, "channel-closed channel-closed") { close_by_reopening(freopen); }
DRIVE(freopen64, "channel-closed channel-closed") { close_by_reopening(freopen64); }
DRIVE(closedir, "file-write-acquired file-lock-left") {
  char path[] = "/tmp/snarl-engage-XXXXXX";
  DIR *directory = mkdtemp(path) ? opendir(path) : NULL;
  MUST(directory && flock(dirfd(directory), LOCK_EX) == 0 && closedir(directory) == 0 && rmdir(path) == 0);
}
DRIVE(close_range, "channel-closed channel-closed") {
  int ends[2];
  MUST(pipe(ends) == 0 && dup2(ends[0], 650) == 650 && dup2(ends[1], 651) == 651 && close_range(650, 660, 0) == 0);
  close_both(ends);
}
DRIVE(closefrom, "channel-closed") {
  pid_t pid = fork();
  if (pid == 0) {
    int ends[2];
    MUST(pipe(ends) == 0 && dup2(ends[0], 300) == 300);
    closefrom(300);
    _exit(0);
  }
  MUST(waitpid(pid, NULL, 0) == pid);
}

/* Queues. */
static mqd_t queue_make(void) {
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
  mqd_t queue = mq_open("/snarl-engage", O_CREAT | O_RDWR, 0600, &attributes);
  MUST(queue >= 0 && mq_unlink("/snarl-engage") == 0);
  return queue;
}
DRIVE(mq_open, "channel-opened") { MUST(mq_close(queue_make()) == 0); }
DRIVE(__mq_open_2, "channel-opened channel-opened") {
  mqd_t queue = mq_open("/snarl-engage", O_CREAT | O_RDWR, 0600, NULL), again = __mq_open_2("/snarl-engage", O_RDONLY);
  MUST(again >= 0 && mq_close(queue) == 0 && mq_close(again) == 0 && mq_unlink("/snarl-engage") == 0);
}
static void notified(union sigval value) { (void)value; }
DRIVE(mq_notify, "signal-handler") {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified};
  mqd_t queue = queue_make();
  MUST(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0 && mq_close(queue) == 0);
}
DRIVE(timer_create, "signal-handler") {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified};
  timer_t timer;
  MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_delete(timer) == 0);
}
DRIVE(mq_close, "channel-closed") { MUST(mq_close(queue_make()) == 0); }
DRIVE(mq_send, "channel-sent") {
  mqd_t queue = queue_make();
  MUST(mq_send(queue, "x", 1, 0) == 0 && mq_close(queue) == 0);
}
DRIVE(mq_timedsend, "channel-sent") {
  mqd_t queue = queue_make();
  struct timespec end = soon();
  MUST(mq_timedsend(queue, "x", 1, 0, &end) == 0 && mq_close(queue) == 0);
}
DRIVE(mq_receive, "channel-sent channel-received") {
  mqd_t queue = queue_make();
  MUST(mq_send(queue, "x", 1, 0) == 0 && mq_receive(queue, bytes, sizeof bytes, NULL) == 1 && mq_close(queue) == 0);
}
DRIVE(mq_timedreceive, "channel-received") {
  mqd_t queue = queue_make();
  struct timespec end = soon();
  MUST(mq_send(queue, "x", 1, 0) == 0 && mq_timedreceive(queue, bytes, sizeof bytes, NULL, &end) == 1);
  MUST(mq_close(queue) == 0);
}

struct message {
  long type;
  char text[8];
};
static void system_v(int receives) {
  struct message message = {.type = 1};
  int id = msgget(IPC_PRIVATE, 0600);
  MUST(id >= 0 && msgsnd(id, &message, sizeof message.text, 0) == 0);
  MUST(!receives || msgrcv(id, &message, sizeof message.text, 0, 0) == sizeof message.text);
  MUST(msgctl(id, IPC_RMID, NULL) == 0);
}
DRIVE(msgget, "channel-opened") { system_v(0); }
DRIVE(msgsnd, "channel-sent") { system_v(0); }
DRIVE(msgrcv, "channel-received") { system_v(1); }
DRIVE(msgctl, "channel-closed") { system_v(0); }
