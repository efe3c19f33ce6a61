/* SPDX-License-Identifier: MIT
 *
 * Signals: which calls they interrupt, with and without SA_RESTART, what sigaction gives and takes, handlers on stacks
 * of their own, that leave by longjmp, that use locks, and masks. Signals are sent to a thread that sleeps.
 */
#include "show.h"
#include <setjmp.h>
#include <sys/syscall.h>

struct target {
  pthread_t thread;
  _Atomic int tid;
  sem_t over;
};
static _Atomic int seen;
static sem_t never, posted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void noticed(int signal) {
  (void)signal;
  seen++;
}

static void post(int signal) {
  int saved = errno;
  (void)signal;
  sem_post(&posted);
  errno = saved;
}

/* Again and again: a signal that comes before the wait does not end it. */
static void *interrupt(void *argument) {
  struct target *target = argument;
  while (sem_trywait(&target->over) != 0) {
    pthread_kill(target->thread, SIGUSR1);
    sched_yield();
  }
  return NULL;
}

/* Once, in the middle of the call. */
static void *interrupt_sleeping(void *argument) {
  struct target *target = argument;
  await_sleep(&target->tid);
  pthread_kill(target->thread, SIGUSR1);
  return NULL;
}

static void handle(void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  if (sigaction(SIGUSR1, &action, NULL))
    exit(2);
}

#define INTERRUPTED(call)                                                                                              \
  do {                                                                                                                 \
    struct target target = {.thread = pthread_self()};                                                                 \
    pthread_t helper;                                                                                                  \
    sem_init(&target.over, 0, 0);                                                                                      \
    pthread_create(&helper, NULL, interrupt, &target);                                                                 \
    SHOW(call);                                                                                                        \
    sem_post(&target.over);                                                                                            \
    pthread_join(helper, NULL);                                                                                        \
  } while (0)

static void interrupted(void) {
  int status;
  sem_init(&never, 0, 0);
  pid_t child = fork();
  if (child == 0)
    for (;;)
      pause();
  context = "interrupted";
  handle(noticed, 0);
  INTERRUPTED(sem_wait(&never));
  INTERRUPTED(sem_timedwait(&never, &far));
  INTERRUPTED(sem_clockwait(&never, CLOCK_MONOTONIC, &far));
  INTERRUPTED(waitpid(child, &status, 0));
  INTERRUPTED(wait(NULL));
  INTERRUPTED(waitid(P_PID, (id_t)child, NULL, WEXITED));
  INTERRUPTED(wait4(child, &status, 0, NULL));
  kill(child, SIGKILL);
  SHOW(waitpid(child, NULL, 0) == child);
}

static void *post_after_signals(void *argument) {
  struct target *target = argument;
  for (int i = 0; i < 3; i++) {
    await_sleep(&target->tid);
    pthread_kill(target->thread, SIGUSR1);
    while (seen <= i)
      sched_yield();
  }
  await_sleep(&target->tid);
  pthread_mutex_lock(&mutex);
  pthread_cond_signal(&cond);
  pthread_mutex_unlock(&mutex);
  sem_post(&never);
  return NULL;
}

/* Waits that a handler does not end: semaphores with SA_RESTART, locks and joins always. */
static void restarted(void) {
  struct target target = {.thread = pthread_self(), .tid = (int)syscall(SYS_gettid)};
  pthread_t helper;
  context = "restarted";
  seen = 0;
  handle(noticed, SA_RESTART);
  pthread_create(&helper, NULL, post_after_signals, &target);
  SHOW(sem_wait(&never));
  SHOW(pthread_join(helper, NULL));
  SHOW(seen);
}

static void *unlock_after_signal(void *argument) {
  struct target *target = argument;
  pthread_mutex_lock(&mutex);
  sem_post(&target->over);
  interrupt_sleeping(target);
  while (!seen)
    sched_yield();
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void in_lock(void) {
  struct target target = {.thread = pthread_self()};
  pthread_t helper;
  context = "in a lock";
  handle(noticed, 0);
  seen = 0;
  sem_init(&target.over, 0, 0);
  pthread_create(&helper, NULL, unlock_after_signal, &target);
  sem_wait(&target.over);
  target.tid = (int)syscall(SYS_gettid);
  SHOW(pthread_mutex_lock(&mutex));
  SHOW(pthread_mutex_unlock(&mutex));
  SHOW(pthread_join(helper, NULL));
  seen = 0;
  pthread_create(&helper, NULL, interrupt_sleeping, &target);
  SHOW(pthread_join(helper, NULL));
  while (!seen)
    sched_yield();
}

/* A handler posts the semaphore that the interrupted thread waits for. */
static void posting(void) {
  struct target target = {.thread = pthread_self(), .tid = (int)syscall(SYS_gettid)};
  pthread_t helper;
  context = "posting";
  sem_init(&posted, 0, 0);
  handle(post, SA_RESTART);
  pthread_create(&helper, NULL, interrupt_sleeping, &target);
  SHOW(sem_wait(&posted));
  SHOW(pthread_join(helper, NULL));
}

static sigjmp_buf back;
static void leap(int signal) {
  pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
  (void)signal;
  pthread_mutex_lock(&own);
  pthread_mutex_unlock(&own);
  siglongjmp(back, 5);
}

/* Out of a handler, also out of one that came in the middle of a wait; locks go on working. */
static void leaping(void) {
  context = "leaping";
  handle(leap, 0);
  for (volatile int i = 0; i < 3; i++) {
    int arrived = sigsetjmp(back, 1);
    if (arrived == 0)
      raise(SIGUSR1);
    SHOW(arrived);
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
  }
  struct target target = {.thread = pthread_self(), .tid = (int)syscall(SYS_gettid)};
  static pthread_t helper;
  sem_init(&never, 0, 0);
  if (sigsetjmp(back, 1) == 0) {
    pthread_create(&helper, NULL, interrupt_sleeping, &target);
    sem_wait(&never);
  }
  SHOW(pthread_join(helper, NULL));
  SHOW(sem_trywait(&never));
}

/* Programs use one for both, whatever the declaration says. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

static siginfo_t info_seen;
static void *context_seen;
static int is_on_other_stack;
static char other_stack[64 * 1024];
static void detailed(int signal, siginfo_t *info, void *machine) {
  char here;
  pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&own);
  pthread_mutex_unlock(&own);
  (void)signal;
  info_seen = *info;
  context_seen = machine;
  is_on_other_stack = &here > other_stack && &here < other_stack + sizeof other_stack;
}

static void actions(void) {
  struct sigaction action = {.sa_sigaction = detailed, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND}, old;
  stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
  context = "actions";
  SHOW(sigaction(999, &action, NULL));
  SHOW(sigaltstack(&stack, NULL));
  SHOW(sigaction(SIGUSR2, &action, &action));
  SHOW(action.sa_handler == SIG_DFL);
  SHOW(sigaction(SIGUSR2, NULL, &old));
  SHOW(old.sa_sigaction == detailed && old.sa_flags & SA_RESETHAND && old.sa_flags & SA_SIGINFO);
  union sigval number = {.sival_int = 55};
  SHOW(pthread_sigqueue(pthread_self(), SIGUSR2, number));
  SHOW(info_seen.si_value.sival_int == 55 && info_seen.si_code == SI_QUEUE && context_seen && is_on_other_stack);
  SHOW(sigaction(SIGUSR2, NULL, &old) || old.sa_handler != SIG_DFL); /* reset */
  SHOW(signal(SIGUSR2, noticed) == SIG_DFL);
  SHOW(signal(SIGUSR2, SIG_IGN) == noticed);
  SHOW(signal(SIGUSR2, SIG_DFL) == SIG_IGN);
  SHOW(signal(999, SIG_IGN) == SIG_ERR);
  SHOW(signal(SIGKILL, SIG_IGN) == SIG_ERR);
}

static void masks(void) {
  sigset_t set, old;
  context = "masks";
  seen = 0;
  handle(noticed, 0);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  SHOW(sigprocmask(SIG_BLOCK, &set, &old));
  SHOW(sigismember(&old, SIGUSR1));
  SHOW(pthread_sigmask(99, &set, &old));
  SHOW(sigprocmask(99, &set, NULL));
  SHOW(sigprocmask(99, NULL, NULL));
  SHOW(pthread_sigmask(SIG_SETMASK, NULL, &old));
  SHOW(sigismember(&old, SIGUSR1));
  raise(SIGUSR1);
  SHOW(seen);
  SHOW(pthread_sigmask(SIG_UNBLOCK, &set, &set)); /* the same for both */
  SHOW(sigismember(&set, SIGUSR1));
  SHOW(seen);
  sigfillset(&set);
  SHOW(pthread_sigmask(SIG_SETMASK, &set, NULL));
  SHOW(pthread_sigmask(SIG_SETMASK, NULL, &old));
  SHOW(sigismember(&old, SIGKILL) || sigismember(&old, 32) || sigismember(&old, 33) || !sigismember(&old, SIGRTMAX));
  sigemptyset(&set);
  SHOW(sigprocmask(SIG_SETMASK, &set, NULL));
}

int main(void) {
  interrupted();
  restarted();
  in_lock();
  posting();
  leaping();
  actions();
  masks();
  return 0;
}
