/* SPDX-License-Identifier: MIT
 *
 * One worker is joined, one detached, one started detached, and one still runs when the program ends.
 */
#include "run.h"

static _Atomic int tids[4], running;

static void *worker(void *tid) {
  order_reach(tid, gettid());
  return NULL;
}

static void *forever(void *unused) {
  order_reach(&running, 1);
  for (;;)
    pause();
  return unused;
}

static pthread_t start(const pthread_attr_t *attr, void *(*routine)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, attr, routine, argument))
    abort();
  return thread;
}

int main(void) {
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_join(start(NULL, worker, &tids[0]), NULL);
  pthread_detach(start(NULL, worker, &tids[1]));
  start(&detached, worker, &tids[2]);
  start(NULL, forever, NULL);
  order_await_end(&tids[1]);
  order_await_end(&tids[2]);
  order_await(&running, 1);
  return 0;
}
