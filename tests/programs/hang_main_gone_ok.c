/* SPDX-License-Identifier: MIT
 *
 * The main thread gives a mutex up and ends, with pthread_exit; another thread takes it and waits for main's end.
 */
#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_t first;

static void *worker(void *unused) {
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  if (pthread_join(first, NULL))
    abort();
  return unused;
}

int main(void) {
  pthread_t thread;
  first = pthread_self();
  pthread_mutex_lock(&mutex);
  if (pthread_create(&thread, NULL, worker, NULL))
    return 1;
  pthread_detach(thread);
  pthread_mutex_unlock(&mutex);
  pthread_exit(NULL);
}
