/* SPDX-License-Identifier: MIT
 *
 * The main thread ends, with pthread_exit, while it holds a mutex; the process goes on, and another thread wants it.
 */
#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *unused) {
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_mutex_lock(&mutex);
  if (pthread_create(&thread, NULL, worker, NULL))
    return 1;
  pthread_detach(thread);
  pthread_exit(NULL);
}
