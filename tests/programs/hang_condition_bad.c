/* SPDX-License-Identifier: MIT
 *
 * A thread waits on a condition, and the thread that would notify it joins it.
 */
#include "run.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int is_ready;

static void *consumer(void *unused) {
  pthread_mutex_lock(&lock);
  while (!is_ready)
    pthread_cond_wait(&ready, &lock);
  pthread_mutex_unlock(&lock);
  return unused;
}

int main(void) {
  RUN(consumer);
  is_ready = 1;
  pthread_cond_signal(&ready);
  return 0;
}
