/* SPDX-License-Identifier: MIT
 *
 * The programs that test_cli.py runs, one per first argument. None synchronizes by time; "hang" and its like wait for
 * ever by design.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold;
static volatile sig_atomic_t seen;

static void *take_both(void *swap) {
  pthread_mutex_t *mine = swap ? &second : &first, *other = swap ? &first : &second;
  pthread_mutex_lock(mine);
  pthread_barrier_wait(&both_hold);
  pthread_mutex_lock(other);
  return NULL;
}

static int deadlock(void) {
  pthread_t thread;
  pthread_barrier_init(&both_hold, NULL, 2);
  pthread_create(&thread, NULL, take_both, NULL);
  take_both(&thread);
  return 0;
}

static void *in_order(void *unused) {
  for (int i = 0; i < 100; i++) {
    pthread_mutex_lock(&first);
    pthread_mutex_lock(&second);
    pthread_mutex_unlock(&second);
    pthread_mutex_unlock(&first);
  }
  return unused;
}

static int fine(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, in_order, NULL);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  return 0;
}

/* Waits on a futex that is no lock of the C library, until the time is over. */
static int futex(void) {
  static int word;
  struct timespec brief = {0, 1000};
  return syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 0, &brief, NULL, 0) != -1;
}

static void on_signal(int number) { seen = number; }

/* Says "ready", waits for a signal of the list, says its number. */
static int wait_for_signal(void) {
  static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
  sigset_t mask, none;
  sigemptyset(&none);
  sigemptyset(&mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(numbers[i], &action, NULL);
    sigaddset(&mask, numbers[i]);
  }
  sigprocmask(SIG_BLOCK, &mask, NULL);
  puts("ready");
  fflush(stdout);
  while (!seen)
    sigsuspend(&none);
  printf("signal %d\n", (int)seen);
  return 3;
}

static volatile sig_atomic_t interrupts, quits;

static void on_count(int number) { *(number == SIGINT ? &interrupts : &quits) += 1; }

/* Says how often each of ^C and ^\ came, once the second has. */
static int count_signals(void) {
  struct sigaction action = {.sa_handler = on_count};
  sigset_t mask, none;
  sigemptyset(&none);
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGQUIT);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGQUIT, &action, NULL);
  puts("ready");
  fflush(stdout);
  while (!interrupts)
    sigsuspend(&none);
  puts("first");
  fflush(stdout);
  while (!quits)
    sigsuspend(&none);
  printf("total %d %d\n", (int)interrupts, (int)quits);
  return 5;
}

/* Works, says "ready", then waits in the kernel until it is killed. */
static int hang(void) {
  fine();
  puts("ready");
  fflush(stdout);
  for (;;)
    pause();
}

int main(int count, char **words) {
  const char *what = count > 1 ? words[1] : "";
  if (strcmp(what, "deadlock") == 0)
    return deadlock();
  if (strcmp(what, "futex") == 0)
    return futex();
  if (strcmp(what, "fine") == 0)
    return fine();
  if (strcmp(what, "signal") == 0)
    return wait_for_signal();
  if (strcmp(what, "count") == 0)
    return count_signals();
  if (strcmp(what, "hang") == 0)
    return hang();
  if (strcmp(what, "exit") == 0)
    return atoi(words[2]);
  if (strcmp(what, "die") == 0)
    return raise(atoi(words[2]));
  fprintf(stderr, "unknown program '%s'\n", what);
  return 99;
}
