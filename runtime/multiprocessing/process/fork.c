/* SPDX-License-Identifier: MIT
 *
 * The start method fork: the child goes on with a copy of this process's memory. Entered by any thread.
 */
#include "child.h"
#include "core/system.h"
#include "start.h"
#include <stdlib.h>

int snarli_fork_unseen(void) {
  int saved = errno;
  snarli_suspend();
  int pid = (int)fork();
  int error = errno;
  snarli_resume();
  errno = saved;
  return pid < 0 ? -error : pid;
}

int snarli_start_by_fork(snarl_process *process, struct snarli_life *life, struct snarl_site *site) {
  int reserved = snarli_start_reserve();
  if (reserved < 0)
    return snarli_start_failed(reserved);
  snarli_streams_flush();
  uint32_t place = snarli_start_requested(0, site);
  int pid = snarli_fork_unseen();
  if (!pid) {
    (void)snarli_system(SYS_close, reserved);
    free(life);
    snarli_child_run(process, site);
  }
  snarli_start_ended(0, pid, place);
  if (pid > 0)
    return snarli_start_adopt(life, pid, reserved);
  (void)snarli_system(SYS_close, reserved);
  return snarli_start_failed(pid);
}
