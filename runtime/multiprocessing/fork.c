/* SPDX-License-Identifier: MIT
 *
 * The start method fork: the child goes on with a copy of this process's memory (see start.h). Entered by any thread.
 */
#include "child.h"
#include "core/system.h"
#include "start.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

int snarli_start_failed(long error) {
  return error == -ENOMEM                       ? SNARL_NO_MEMORY
         : error == -EMFILE || error == -ENFILE ? SNARL_NO_DESCRIPTOR
                                                : SNARL_NO_PROCESS;
}

/* The shim would record it, too. The pid, 0 in the child, -errno. */
static int fork_unseen(void) {
  int saved = errno;
  snarli_suspend();
  int pid = (int)fork();
  int error = errno;
  snarli_resume();
  errno = saved;
  return pid < 0 ? -error : pid;
}

/* The child is there. It is ended again if it cannot be waited for. `reserved` has kept a number for its descriptor. */
static int adopt(struct snarli_life *life, int pid, int reserved) {
  (void)snarli_system(SYS_close, reserved);
  long sentinel = snarli_system(SYS_pidfd_open, pid, 0);
  if (sentinel < 0) {
    (void)snarli_system(SYS_kill, pid, SIGKILL);
    (void)snarli_system(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL);
    return snarli_start_failed(sentinel);
  }
  snarli_life_begin(life, pid, (int)sentinel);
  return SNARL_OK;
}

int snarli_start_by_fork(snarl_process *process, struct snarli_life *life, struct snarl_site *site) {
  long reserved = snarli_system(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
  if (reserved < 0)
    return snarli_start_failed(reserved);
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  snarli_streams_flush();
  if (records)
    snarli_record_aux(SNARLI_R_FORK_REQUESTED, 0, 0, place);
  int pid = fork_unseen();
  if (!pid) {
    (void)snarli_system(SYS_close, reserved);
    free(life);
    snarli_child_run(process, site);
  }
  if (records && pid < 0)
    snarli_record_aux(SNARLI_R_FORK_FAILED, (unsigned)-pid, 0, place);
  else if (records)
    snarli_record_aux(SNARLI_R_FORKED, 0, (uint64_t)pid, place);
  if (pid > 0)
    return adopt(life, pid, (int)reserved);
  (void)snarli_system(SYS_close, reserved);
  return snarli_start_failed(pid);
}
