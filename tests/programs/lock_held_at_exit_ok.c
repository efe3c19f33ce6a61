/* SPDX-License-Identifier: MIT
 *
 * The lock is released on every path, by a cleanup handler when the thread is cancelled; and main ends the program
 * while it holds a lock of its own, which goes with it.
 */
#include "run.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, own = PTHREAD_MUTEX_INITIALIZER;

static void release(void *mutex) { pthread_mutex_unlock(mutex); }

static void *worker(void *unused) {
  pthread_mutex_lock(&lock);
  pthread_cleanup_push(release, &lock);
  for (;;)
    pause();
  pthread_cleanup_pop(1);
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, worker, NULL) || pthread_cancel(thread) || pthread_join(thread, NULL))
    abort();
  pthread_mutex_lock(&own);
  exit(0);
}
