/* SPDX-License-Identifier: MIT
 *
 * A handler counts under a lock that main takes as well. The signal comes while main holds nothing. Two threads.
 */
#include "run.h"
#include <signal.h>

static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int step;
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

static void *send(void *thread) {
  pthread_kill(*(pthread_t *)thread, SIGUSR1);
  return NULL;
}

int main(void) {
  pthread_t main_thread = pthread_self(), sender;
  struct sigaction action = {.sa_handler = on_usr1};
  sigaction(SIGUSR1, &action, NULL);
  bump();
  pthread_create(&sender, NULL, send, &main_thread);
  order_await(&step, 1);
  pthread_join(sender, NULL);
  return count != 2;
}
