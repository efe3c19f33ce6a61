/* SPDX-License-Identifier: MIT
 *
 * Creating threads: five workers side by side, and waiting for all of them.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 5 };

static void *worker(void *name) {
  printf("thread %s begins to work\n", (const char *)name);
  pace_sleep(2); /* as if it worked */
  printf("thread %s has done its work\n", (const char *)name);
  return NULL;
}

int main(void) {
  static char names[WORKERS][16];
  snarl_thread threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    snprintf(names[i], sizeof names[i], "Thread-%d", i);
    snarl_thread_init(&threads[i], names[i], worker, names[i]);
    int status = snarl_thread_start(&threads[i]);
    if (status) {
      fprintf(stderr, "%s cannot start: %s\n", names[i], snarl_status_text(status));
      return 1;
    }
  }
  for (int i = 0; i < WORKERS; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  printf("all threads have done their work\n");
  return 0;
}
