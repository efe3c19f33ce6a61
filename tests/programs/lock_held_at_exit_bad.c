/* SPDX-License-Identifier: MIT
 *
 * A worker returns early from a critical section and keeps the lock.
 */
#include "run.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance;

static void *worker(void *unused) {
  pthread_mutex_lock(&lock);
  if (balance == 0)
    return NULL;
  pthread_mutex_unlock(&lock);
  return unused;
}

int main(void) {
  RUN(worker);
  return 0;
}
