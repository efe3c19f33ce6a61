/* SPDX-License-Identifier: MIT
 *
 * Which process this one is, and what it does before and after its function (see child.h). Entered by any thread.
 */
#include "child.h"
#include "core/self.h"
#include "core/system.h"
#include "end.h"
#include "threading/timer.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static snarl_process main_process = SNARL_PROCESS_INIT("MainProcess", NULL, NULL);
static snarl_process *current = &main_process, *parent;
static int parent_pid;

snarl_process *snarl_current_process(void) { return current; }
snarl_process *snarl_parent_process(void) { return parent; }
bool snarli_parent_is_alive(void) { return (int)getppid() == parent_pid; }

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

static _Noreturn void leave(int code, struct snarl_site *site) {
  snarli_finish();
  snarli_streams_flush();
  if (snarli_records()) {
    snarli_record_aux(SNARLI_R_PROCESS_EXIT, 0, (uint32_t)code, snarli_place(site));
    snarli_process_end(code & 0xff);
  }
  snarli_suspend();
  _exit(code);
}

_Noreturn void snarli_child_run(snarl_process *process, struct snarl_site *site) {
  snarli_after_fork_in_child();
  parent = current;
  parent_pid = parent->pid = (int)getppid();
  current = process;
  process->pid = (int)getpid();
  name_child(snarl_process_name(process));
  snarli_ends_begin(process, site);
  leave(process->run ? process->run(process) : process->function(process->argument), site);
}
