/* SPDX-License-Identifier: MIT
 *
 * A handler counts under a lock that main takes with the signal blocked; another handler only posts a semaphore, and a
 * thread that no signal comes to counts for it. Three threads.
 */
#include "run.h"
#include <semaphore.h>
#include <signal.h>

static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;
static sem_t asked;
static int count;

static void bump(void) {
  pthread_mutex_lock(&count_lock);
  count++;
  pthread_mutex_unlock(&count_lock);
}

static void on_usr1(int signal) {
  (void)signal;
  bump();
  order_reach(&step, 1);
}

static void on_usr2(int signal) {
  (void)signal;
  sem_post(&asked);
}

static void *serve(void *unused) {
  sem_wait(&asked);
  bump();
  return unused;
}

static void *send(void *thread) {
  pthread_kill(*(pthread_t *)thread, SIGUSR1);
  pthread_kill(*(pthread_t *)thread, SIGUSR2);
  return NULL;
}

int main(void) {
  pthread_t main_thread = pthread_self(), sender, server;
  struct sigaction usr1 = {.sa_handler = on_usr1}, usr2 = {.sa_handler = on_usr2};
  sigset_t signals, before;
  sem_init(&asked, 0, 0);
  sigaction(SIGUSR1, &usr1, NULL);
  sigaction(SIGUSR2, &usr2, NULL);
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  pthread_create(&server, NULL, serve, NULL);
  bump();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_create(&sender, NULL, send, &main_thread);
  order_await(&step, 1);
  pthread_join(sender, NULL);
  pthread_join(server, NULL);
  return count != 3;
}
