/* SPDX-License-Identifier: MIT
 *
 * A subclass of Process: a struct that begins with a snarl_process, and a run of its own that gets it back, in the
 * child, with everything that was put into it before the start.
 */
#include "pace.h"
#include <stdio.h>
#include <unistd.h>

enum { WORKERS = 5 };

struct worker_process {
  snarl_process process; /* first, so that a pointer to it is one to the whole */
  char name[16];
};

static int run(snarl_process *self) {
  struct worker_process *worker = (struct worker_process *)self;
  printf("process %s (PID %d) begins to work\n", worker->name, (int)getpid());
  pace_sleep(2);
  printf("process %s (PID %d) has done its work\n", worker->name, (int)getpid());
  return 0;
}

static void worker_process_init(struct worker_process *worker, int number) {
  snprintf(worker->name, sizeof worker->name, "Process-%d", number);
  snarl_process_init_run(&worker->process, worker->name, run);
}

int main(void) {
  struct worker_process workers[WORKERS];
  printf("the main process has the PID %d\n", (int)getpid());
  for (int i = 0; i < WORKERS; i++) {
    worker_process_init(&workers[i], i);
    if (snarl_process_start(&workers[i].process))
      return 1;
  }
  int failed = 0;
  for (int i = 0; i < WORKERS; i++)
    failed += snarl_process_join(&workers[i].process, SNARL_FOREVER) != SNARL_OK;
  if (!failed)
    printf("all processes have done their work\n");
  return failed;
}
