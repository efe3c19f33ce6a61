/* SPDX-License-Identifier: MIT
 *
 * Creating processes: five workers side by side, each with memory of its own, and waiting for all of them.
 */
#include "pace.h"
#include <stdio.h>
#include <unistd.h>

enum { WORKERS = 5 };

static int worker(void *name) {
  printf("process %s (PID %d) begins to work\n", (const char *)name, (int)getpid());
  pace_sleep(2); /* as if it worked */
  printf("process %s (PID %d) has done its work\n", (const char *)name, (int)getpid());
  return 0; /* its exit code, as of main */
}

int main(void) {
  static char names[WORKERS][16];
  snarl_process processes[WORKERS];
  printf("the main process has the PID %d\n", (int)getpid());
  for (int i = 0; i < WORKERS; i++) {
    snprintf(names[i], sizeof names[i], "Process-%d", i);
    snarl_process_init(&processes[i], names[i], worker, names[i]);
    int status = snarl_process_start(&processes[i]);
    if (status) {
      fprintf(stderr, "%s cannot start: %s\n", names[i], snarl_status_text(status));
      return 1;
    }
  }
  int failed = 0;
  for (int i = 0; i < WORKERS; i++) /* look at the result, or a child that failed goes unnoticed */
    failed += snarl_process_join(&processes[i], SNARL_FOREVER) != SNARL_OK;
  if (!failed)
    printf("all processes have done their work\n");
  return failed;
}
