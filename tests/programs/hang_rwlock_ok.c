/* SPDX-License-Identifier: MIT
 *
 * A reader and a writer contend for a reader-writer lock and a mutex, taken in one order.
 */
#include "run.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t data = PTHREAD_RWLOCK_INITIALIZER;
static _Atomic int step;

static void *reader(void *unused) {
  order_meet(&step, 2);
  pthread_rwlock_rdlock(&data);
  pthread_mutex_lock(&log_lock);
  pthread_mutex_unlock(&log_lock);
  pthread_rwlock_unlock(&data);
  return unused;
}

static void *writer(void *unused) {
  order_meet(&step, 2);
  pthread_rwlock_wrlock(&data);
  pthread_mutex_lock(&log_lock);
  pthread_mutex_unlock(&log_lock);
  pthread_rwlock_unlock(&data);
  return unused;
}

int main(void) {
  RUN(reader, writer);
  return 0;
}
