/* SPDX-License-Identifier: MIT
 *
 * A thread takes a mutex again after it gave it up.
 */
#include "run.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void helper(void) {
  pthread_mutex_unlock(&a);
  pthread_mutex_lock(&a);
}

static void *worker(void *unused) {
  pthread_mutex_lock(&a);
  helper();
  pthread_mutex_unlock(&a);
  return unused;
}

int main(void) {
  RUN(worker);
  return 0;
}
