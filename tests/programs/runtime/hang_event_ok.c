/* SPDX-License-Identifier: MIT
 *
 * Two threads set their event before they wait for the other's; one that was set and cleared is not waited for any
 * more.
 */
#include "threads.h"

static snarl_event first = SNARL_EVENT_INIT("first"), second = SNARL_EVENT_INIT("second");

static void *left(void *unused) {
  snarl_event_set(&first);
  snarl_event_wait(&second, SNARL_FOREVER);
  snarl_event_clear(&second);
  return unused;
}

static void *right(void *unused) {
  snarl_event_set(&second);
  snarl_event_wait(&first, SNARL_FOREVER);
  snarl_event_clear(&first);
  return unused;
}

int main(void) {
  THREADS({"left", left}, {"right", right});
  return snarl_event_wait(&first, SNARL_MS(1)) == SNARL_TIMEOUT ? 0 : 1;
}
