/* SPDX-License-Identifier: MIT
 *
 * Two threads wait for each other's event, and each sets its own afterwards.
 */
#include "threads.h"

static snarl_event first = SNARL_EVENT_INIT("first"), second = SNARL_EVENT_INIT("second");

static void *left(void *unused) {
  snarl_event_wait(&second, SNARL_FOREVER);
  snarl_event_set(&first);
  return unused;
}

static void *right(void *unused) {
  snarl_event_wait(&first, SNARL_FOREVER);
  snarl_event_set(&second);
  return unused;
}

int main(void) {
  THREADS({"left", left}, {"right", right});
  return 0;
}
