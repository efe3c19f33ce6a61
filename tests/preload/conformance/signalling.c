/* SPDX-License-Identifier: MIT
 *
 * What sending signals and waiting for them returns: pending and later ones, of threads and processes, to none,
 * interrupted, timed, and cancelled; and how an aborted process ends.
 */
#include "show.h"
#include <sys/syscall.h>

static sigset_t both;
static _Atomic int waiter;

static void handled(int signal) { (void)signal; }

static void sends(void) {
  siginfo_t info;
  int signal = 0;
  context = "sends";
  SHOW(kill(getpid(), SIGUSR1));
  SHOW(sigwait(&both, &signal));
  SHOW(signal);
  SHOW(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 5}));
  SHOW(sigwaitinfo(&both, &info));
  SHOW(info.si_value.sival_int);
  SHOW(info.si_pid == getpid());
  SHOW(pthread_kill(pthread_self(), SIGUSR1));
  SHOW(sigtimedwait(&both, NULL, &far));
  SHOW(pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){.sival_int = 6}));
  SHOW(sigtimedwait(&both, &info, &past) == SIGUSR1 && info.si_value.sival_int == 6);
  SHOW(tgkill(getpid(), (pid_t)syscall(SYS_gettid), SIGUSR1));
  SHOW(sigwaitinfo(&both, NULL));
  SHOW(raise(SIGUSR2));
  SHOW(raise(SIGUSR1));
  SHOW(sigwaitinfo(&both, NULL));
  SHOW(sigwaitinfo(&both, NULL));
  int fd = pidfd_open(getpid(), 0);
  SHOW(pidfd_send_signal(fd, SIGUSR1, NULL, 0));
  SHOW(sigwaitinfo(&both, NULL));
  SHOW(pidfd_send_signal(fd, SIGUSR1, NULL, 77));
  SHOW(pidfd_send_signal(-1, SIGUSR1, NULL, 0));
  SHOW(close(fd));
  SHOW(kill(getpid(), 0));
  SHOW(kill(getpid(), 999));
  SHOW(kill(1 << 30, SIGUSR1));
  SHOW(kill(1 << 30, 0));
  SHOW(killpg(1 << 30, SIGUSR1));
  SHOW(tgkill(getpid(), -1, SIGUSR1));
  SHOW(sigqueue(getpid(), -1, (union sigval){.sival_int = 5}));
  SHOW(pthread_kill(pthread_self(), 999));
  SHOW(raise(-1));
}

static void *interrupt(void *signal) {
  await_sleep(&waiter);
  tgkill(getpid(), waiter, (int)(size_t)signal);
  return NULL;
}

/* Interrupted once it sleeps, by a signal that it waits for or by another. */
#define LATER(signal, call)                                                                                            \
  do {                                                                                                                 \
    pthread_t helper;                                                                                                  \
    waiter = (int)syscall(SYS_gettid);                                                                                 \
    pthread_create(&helper, NULL, interrupt, (void *)(size_t)(signal));                                                \
    errno = 77;                                                                                                        \
    int value = (call), after = errno;                                                                                 \
    pthread_join(helper, NULL);                                                                                        \
    dprintf(1, "%s:%d %s -> %d, errno %d\n", context, __LINE__, #call, value, after);                                  \
  } while (0)

static int waited_for;
static int wait_for_both(void) { return sigwait(&both, &waited_for) ? -1 : waited_for; }

static void waits(void) {
  struct sigaction action = {.sa_handler = handled};
  struct timespec moment = {0, 1000000};
  sigset_t none;
  context = "waits";
  sigemptyset(&none);
  sigaction(SIGALRM, &action, NULL);
  LATER(SIGUSR1, wait_for_both());
  LATER(SIGUSR2, sigwaitinfo(&both, NULL));
  LATER(SIGUSR2, sigtimedwait(&both, NULL, &far));
  LATER(SIGUSR2, sigtimedwait(&both, NULL, NULL));
  LATER(SIGALRM, sigwaitinfo(&both, NULL));
  LATER(SIGALRM, sigtimedwait(&both, NULL, &far));
  LATER(SIGALRM, pause());
  LATER(SIGALRM, sigsuspend(&both));
  SHOW(sigtimedwait(&both, NULL, &moment));
  SHOW(sigtimedwait(&both, NULL, &(struct timespec){0, 0}));
  SHOW(sigtimedwait(&both, NULL, &bad));
  SHOW(sigtimedwait(&both, NULL, &negative));
}

static void *pausing(void *unused) {
  waiter = (int)syscall(SYS_gettid);
  pause();
  return unused;
}
static void *suspended(void *unused) {
  waiter = (int)syscall(SYS_gettid);
  sigsuspend(&both);
  return unused;
}
static void *waiting(void *unused) {
  waiter = (int)syscall(SYS_gettid);
  sigwait(&both, &waited_for);
  return unused;
}
static void *waiting_long(void *unused) {
  waiter = (int)syscall(SYS_gettid);
  sigtimedwait(&both, NULL, &far);
  return unused;
}
static void *cancelled_before(void *unused) {
  pthread_cancel(pthread_self());
  sigwaitinfo(&both, NULL);
  return unused;
}

static void cancel(const char *name, void *(*routine)(void *)) {
  pthread_t thread;
  void *result = NULL;
  waiter = 0;
  pthread_create(&thread, NULL, routine, NULL);
  if (routine != cancelled_before) {
    while (!waiter)
      sched_yield();
    await_sleep(&waiter);
    pthread_cancel(thread);
  }
  pthread_join(thread, &result);
  dprintf(1, "%s: %s\n", name, result == PTHREAD_CANCELED ? "cancelled" : "returned");
}

static void aborted(void (*handler)(int)) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGABRT, handler);
    abort();
  }
  SHOW(waitpid(pid, &status, 0) == pid);
  SHOW(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

int main(void) {
  sigemptyset(&both);
  sigaddset(&both, SIGUSR1);
  sigaddset(&both, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &both, NULL);
  sends();
  waits();
  cancel("pause", pausing);
  cancel("sigsuspend", suspended);
  cancel("sigwait", waiting);
  cancel("sigtimedwait", waiting_long);
  cancel("sigwaitinfo, requested before", cancelled_before);
  context = "abort";
  aborted(SIG_DFL);
  aborted(SIG_IGN);
  aborted(handled);
  return 0;
}
