/* SPDX-License-Identifier: MIT
 *
 * Threads in processes: three processes, each with a thread for each piece of its data. Threads see the memory of their
 * own process, so what they return stays there; the parent learns by the exit code whether all went well.
 */
#include "pace.h"
#include <stdio.h>
#include <unistd.h>

enum { PROCESSES = 3, MOST_THREADS = 4 };

struct job {
  const char *name;
  int number, data_count;
};

struct piece {
  char name[64], data[64];
};

static void *thread_worker(void *argument) {
  const struct piece *piece = argument;
  printf("thread %s (ID %u) runs in process %d\n", piece->name, (unsigned)snarl_get_native_id(), (int)getpid());
  pace_sleep(pace_uniform(0.5, 1.5));
  printf("thread %s processes %s\n", piece->name, piece->data);
  return argument;
}

static int start_thread(snarl_thread *thread, struct piece *piece, const struct job *job, int i) {
  snprintf(piece->name, sizeof piece->name, "%s-Thread-%d", job->name, i);
  snprintf(piece->data, sizeof piece->data, "Data-%d-%d", job->number + 1, i);
  snarl_thread_init(thread, piece->name, thread_worker, piece);
  return snarl_thread_start(thread);
}

static int process_worker(void *argument) {
  const struct job *job = argument;
  struct piece pieces[MOST_THREADS];
  snarl_thread threads[MOST_THREADS];
  int started = 0;
  printf("process %s (PID %d) begins to create threads\n", job->name, (int)getpid());
  while (started < job->data_count && !start_thread(&threads[started], &pieces[started], job, started))
    started++;
  for (int i = 0; i < started; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  if (started == job->data_count)
    printf("all threads of process %s have done their work\n", job->name);
  return started != job->data_count; /* its exit code */
}

int main(void) {
  static struct job jobs[PROCESSES] = {{"Process-0", 0, 3}, {"Process-1", 1, 4}, {"Process-2", 2, 2}};
  snarl_process processes[PROCESSES];
  printf("the main process (PID %d) begins\n", (int)getpid());
  for (int i = 0; i < PROCESSES; i++) {
    snarl_process_init(&processes[i], jobs[i].name, process_worker, &jobs[i]);
    if (snarl_process_start(&processes[i]))
      return 1;
  }
  int failed = 0;
  for (int i = 0; i < PROCESSES; i++)
    failed += snarl_process_join(&processes[i], SNARL_FOREVER) != SNARL_OK;
  if (!failed)
    printf("all processes and threads have done their work\n");
  return failed;
}
