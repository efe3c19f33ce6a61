/* SPDX-License-Identifier: MIT
 *
 * The notification comes before the wait, and nothing remembers it.
 */
#include "run.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static _Atomic int step;

static void *consumer(void *unused) {
  order_await(&step, 1);
  pthread_mutex_lock(&lock);
  pthread_cond_wait(&ready, &lock);
  pthread_mutex_unlock(&lock);
  return unused;
}

static void *producer(void *unused) {
  pthread_mutex_lock(&lock);
  pthread_cond_signal(&ready);
  pthread_mutex_unlock(&lock);
  order_reach(&step, 1);
  return unused;
}

int main(void) {
  RUN(consumer, producer);
  return 0;
}
