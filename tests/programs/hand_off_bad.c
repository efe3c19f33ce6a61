/* SPDX-License-Identifier: MIT
 *
 * Two threads take two mutexes in opposite orders, but the second when it has got a message from the first, by atomics
 * that nobody sees; what annotations tell is of another message.
 */
#include "nest.h"
#include <snarl/annotate.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int message, other;
static _Atomic int is_sent;

static void *sender(void *unused) {
  nest(&a, &b);
  snarl_happens_before(&other);
  order_reach(&is_sent, 1);
  return unused;
}

static void *receiver(void *unused) {
  order_await(&is_sent, 1);
  snarl_happens_after(&message);
  nest(&b, &a);
  return unused;
}

int main(void) {
  RUN(sender, receiver);
  return 0;
}
