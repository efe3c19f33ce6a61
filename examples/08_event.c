/* SPDX-License-Identifier: MIT
 *
 * An Event: five threads wait until another sets it.
 */
#include "pace.h"
#include <stdio.h>

enum { WAITERS = 5 };

static snarl_event event = SNARL_EVENT_INIT("event");

static void *waiter(void *name) {
  printf("%s waits for the event...\n", (const char *)name);
  snarl_event_wait(&event, SNARL_FOREVER);
  printf("%s has been told of the event!\n", (const char *)name);
  return NULL;
}

static void *setter(void *unused) {
  printf("about to set the event...\n");
  pace_sleep(3);
  printf("setting the event, for all who wait\n");
  snarl_event_set(&event);
  return unused;
}

int main(void) {
  static char names[WAITERS][16];
  snarl_thread threads[WAITERS], setter_thread = SNARL_THREAD_INIT("setter", setter, NULL);
  for (int i = 0; i < WAITERS; i++) {
    snprintf(names[i], sizeof names[i], "Waiter-%d", i);
    snarl_thread_init(&threads[i], names[i], waiter, names[i]);
    if (snarl_thread_start(&threads[i]))
      return 1;
  }
  if (snarl_thread_start(&setter_thread))
    return 1;
  for (int i = 0; i < WAITERS; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  snarl_thread_join(&setter_thread, SNARL_FOREVER);
  return 0;
}
