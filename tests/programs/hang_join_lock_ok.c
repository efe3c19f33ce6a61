/* SPDX-License-Identifier: MIT
 *
 * The main thread gives the mutex up before it joins the thread that wants it.
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
  pthread_mutex_unlock(&lock);
  pthread_join(thread, NULL);
  return 0;
}
