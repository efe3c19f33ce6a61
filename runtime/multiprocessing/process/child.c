/* SPDX-License-Identifier: MIT
 *
 * Which process this one is, and what it does before and after its function (see child.h). Entered by any thread.
 */
#include "child.h"
#include "core/self.h"
#include "core/system.h"
#include "entry.h"
#include "given.h"
#include "multiprocessing/connection/end.h"
#include "threading/timer.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static snarl_process main_process = SNARL_PROCESS_INIT("MainProcess", NULL, NULL);
static snarl_process *current = &main_process, *parent;
static int parent_pid, parent_sentinel = -1;

snarl_process *snarl_current_process(void) { return current; }
snarl_process *snarl_parent_process(void) { return parent; }

bool snarli_parent_is_alive(void) {
  struct pollfd end = {.fd = parent_sentinel, .events = POLLIN};
  return parent_sentinel < 0 ? (int)getppid() == parent_pid : !snarli_poll(&end, 1, SNARLI_PAST);
}

void snarli_streams_flush(void) {
  (void)fflush(stdout);
  (void)fflush(stderr);
}

/* The thread that goes on in the child is called as the process, in the trace and by the system. */
static void name_child(const char *name) {
  (void)snarli_system(SYS_prctl, PR_SET_NAME, name, 0, 0, 0); /* which cuts it */
  if (snarli_records())
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, (uint64_t)pthread_self(), snarli_blob_string(name, strlen(name)));
}

_Noreturn void snarli_child_leave(int code, struct snarl_site *site) {
  snarli_finish();
  snarli_streams_flush();
  if (snarli_records()) {
    snarli_record_aux(SNARLI_R_PROCESS_EXIT, 0, (uint32_t)code, snarli_place(site));
    snarli_process_end(code & 0xff);
  }
  snarli_suspend();
  _exit(code);
}

static void become(snarl_process *process, snarl_process *starter, int starter_pid) {
  parent = starter;
  parent_pid = parent->pid = starter_pid;
  current = process;
  process->pid = (int)getpid();
  name_child(snarl_process_name(process));
}

_Noreturn void snarli_child_run(snarl_process *process, struct snarl_site *site) {
  snarli_after_fork_in_child();
  if (parent_sentinel >= 0)
    (void)snarli_system(SYS_close, parent_sentinel);
  parent_sentinel = -1;
  become(process, current, (int)getppid());
  snarli_given_begin(NULL);
  snarli_ends_begin(process, site);
  snarli_child_leave(process->run ? process->run(process) : process->function(process->argument), site);
}

/* What the system's shells say of a program that is not there. */
enum { NOTHING_TO_RUN = 127 };

static snarl_process prepared = SNARL_PROCESS_INIT(NULL, NULL, NULL), starter = SNARL_PROCESS_INIT(NULL, NULL, NULL);

/* False: it is not in this image, and somebody is told. */
static bool find_function(const struct snarli_preparation *preparation) {
  const char *name = snarli_preparation_text(preparation, preparation->entry);
  const struct snarl_entry *entry = snarli_entry_find(name, snarli_preparation_text(preparation, preparation->file),
                                                      snarli_preparation_text(preparation, preparation->module));
  if (!entry)
    (void)fprintf(stderr, "snarl: process %s: there is no SNARL_ENTRY(%s) in %s\n", prepared.object.name, name,
                  program_invocation_name);
  prepared.function = entry ? entry->function : NULL;
  return entry;
}

int snarli_child_run_prepared(struct snarli_preparation *preparation, int sentinel) {
  prepared.object.name = snarli_preparation_text(preparation, preparation->name);
  prepared.is_daemon = preparation->is_daemon;
  prepared.argument_size = preparation->argument_size;
  prepared.argument = preparation->argument_size ? (char *)preparation + preparation->argument : NULL;
  starter.object.name = snarli_preparation_text(preparation, preparation->parent_name);
  parent_sentinel = sentinel;
  become(&prepared, &starter, preparation->parent);
  (void)snarl_set_start_method((enum snarl_start_method)preparation->start);
  snarli_given_begin(preparation);
  return find_function(preparation) ? prepared.function(prepared.argument) : NOTHING_TO_RUN;
}
