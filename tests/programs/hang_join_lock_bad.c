/* SPDX-License-Identifier: MIT
 *
 * The main thread joins a thread while it holds the mutex that the thread wants.
 */
#include "run.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *unused) {
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_mutex_lock(&lock);
  if (pthread_create(&thread, NULL, worker, NULL))
    abort();
  pthread_join(thread, NULL);
  pthread_mutex_unlock(&lock);
  return 0;
}
