/* SPDX-License-Identifier: MIT
 *
 * The drivers of signals that are sent and awaited; a part of engage.c. The signal is blocked and taken again, so that
 * no handler runs but where one is awaited.
 */

static sigset_t blocked(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
  return set;
}
static void take_back(int signal) {
  sigset_t set = blocked(signal);
  int got = 0;
  MUST(sigwait(&set, &got) == 0 && got == signal);
}

#define DRIVE_KILL(name, records, call)                                                                                \
  DRIVE(name, records) {                                                                                               \
    (void)blocked(SIGUSR2);                                                                                            \
    MUST((call) == 0);                                                                                                 \
    take_back(SIGUSR2);                                                                                                \
  }
DRIVE_KILL(kill, "signal-sent signal-wait-returned", kill(getpid(), SIGUSR2))
DRIVE_KILL(tgkill, "signal-sent", tgkill(getpid(), (pid_t)syscall(SYS_gettid), SIGUSR2))
DRIVE_KILL(sigqueue, "signal-sent", sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 1}))
DRIVE_KILL(pthread_kill, "thread-signalled", pthread_kill(pthread_self(), SIGUSR2))
DRIVE_KILL(pthread_sigqueue, "thread-signalled",
           pthread_sigqueue(pthread_self(), SIGUSR2, (union sigval){.sival_int = 1}))
DRIVE_KILL(raise, "thread-signalled", raise(SIGUSR2))
DRIVE(pidfd_send_signal, "signal-sent wait-requested wait-returned") {
  int ends[2];
  char byte;
  MUST(pipe(ends) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    MUST(write(ends[1], "x", 1) == 1);
    for (;;)
      pause();
  }
  MUST(read(ends[0], &byte, 1) == 1 && close(ends[0]) == 0 && close(ends[1]) == 0); /* it has begun */
  int fd = pidfd_open(pid, 0);
  siginfo_t info = {0};
  MUST(fd >= 0 && pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0);
  MUST(waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0 && info.si_pid == pid && close(fd) == 0);
}
DRIVE(killpg, "signal-sent signal-failed") { MUST(killpg(1 << 30, SIGUSR2) == -1); }
DRIVE(abort, "thread-signalled process-exit") {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    abort();
  }
  MUST(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGABRT);
}

DRIVE(sigwait, "signal-wait-returned") {
  (void)blocked(SIGUSR2);
  MUST(raise(SIGUSR2) == 0);
  take_back(SIGUSR2);
}
/* A child sends when its parent is seen to wait. */
static void *send_when_asleep(void *tid) {
  await_sleep(*(int *)tid);
  MUST(tgkill(getpid(), *(int *)tid, SIGUSR2) == 0);
  return NULL;
}
static pthread_t start_sender(void) {
  static int tid;
  pthread_t thread;
  tid = (int)syscall(SYS_gettid);
  MUST(pthread_create(&thread, NULL, send_when_asleep, &tid) == 0);
  return thread;
}
DRIVE(sigwaitinfo, "signal-wait-requested signal-wait-returned") {
  sigset_t set = blocked(SIGUSR2);
  siginfo_t info;
  pthread_t sender = start_sender();
  MUST(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_pid == getpid() && pthread_join(sender, NULL) == 0);
}
DRIVE(sigtimedwait, "signal-wait-requested signal-failed") {
  sigset_t set = blocked(SIGUSR2);
  MUST(sigtimedwait(&set, NULL, &(struct timespec){0, 1000}) == -1 && errno == EAGAIN);
}
static void ignore(int signal) { (void)signal; }
static void handle_sent(void) {
  struct sigaction action = {.sa_handler = ignore};
  MUST(sigaction(SIGUSR2, &action, NULL) == 0);
}
DRIVE(pause, "signal-wait-requested signal-wait-returned") {
  sigset_t set = blocked(SIGUSR2);
  handle_sent();
  pthread_t sender = start_sender();
  MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0 && pause() == -1 && errno == EINTR);
  MUST(pthread_join(sender, NULL) == 0);
}
DRIVE(sigsuspend, "signal-wait-requested signal-wait-returned") {
  sigset_t none;
  (void)blocked(SIGUSR2);
  handle_sent();
  sigemptyset(&none);
  MUST(raise(SIGUSR2) == 0 && sigsuspend(&none) == -1 && errno == EINTR);
}
