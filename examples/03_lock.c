/* SPDX-License-Identifier: MIT
 *
 * A Lock: five threads increment one counter, reading and writing it with a pause in between. Without the lock
 * increments would be lost, and Snarl would report the race on the shared variable.
 */
#include "pace.h"
#include <stdio.h>

enum { INCREMENTERS = 5, INCREMENTS = 10 };

static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_lock counter_lock = SNARL_LOCK_INIT("counter_lock");

static void *increment_counter(void *thread_name) {
  for (int i = 0; i < INCREMENTS; i++) {
    snarl_lock_acquire(&counter_lock, SNARL_FOREVER);
    int current = snarl_shared_read(&counter);
    pace_sleep(0.001);
    snarl_shared_write(&counter, current + 1);
    printf("%s: counter = %d\n", (const char *)thread_name, current + 1);
    snarl_lock_release(&counter_lock); /* on every way out; `with` does it by itself, see 04 */
  }
  return NULL;
}

int main(void) {
  static char names[INCREMENTERS][16];
  snarl_thread threads[INCREMENTERS];
  for (int i = 0; i < INCREMENTERS; i++) {
    snprintf(names[i], sizeof names[i], "Thread-%d", i);
    snarl_thread_init(&threads[i], names[i], increment_counter, names[i]);
    if (snarl_thread_start(&threads[i]))
      return 1;
  }
  for (int i = 0; i < INCREMENTERS; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  printf("the counter is %d at last\n", snarl_shared_read(&counter));
  return 0;
}
