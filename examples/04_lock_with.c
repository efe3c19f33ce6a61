/* SPDX-License-Identifier: MIT
 *
 * The same counter as in 03, with the lock held by a `with`: it is released however the block is left.
 */
#include "pace.h"
#include <stdio.h>

enum { INCREMENTERS = 5, INCREMENTS = 10 };

static SNARL_SHARED(int) counter = SNARL_SHARED_INIT("counter", 0);
static snarl_lock counter_lock = SNARL_LOCK_INIT("counter_lock");

static void *increment_counter(void *thread_name) {
  for (int i = 0; i < INCREMENTS; i++) {
    snarl_with(&counter_lock) {
      int current = snarl_shared_read(&counter);
      pace_sleep(0.001);
      snarl_shared_write(&counter, current + 1);
      printf("%s: counter = %d\n", (const char *)thread_name, current + 1);
    }
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
