/* SPDX-License-Identifier: MIT
 *
 * A process of the start method forkserver fails, and the program asks how it ended.
 */
#include <signal.h>
#include <snarl/snarl.h>

static int fail(void *unused) {
  (void)unused;
  return raise(SIGUSR1);
}
SNARL_ENTRY(fail);

static snarl_process process = SNARL_PROCESS_INIT("process", fail, NULL);

int main(void) {
  return snarl_process_set_start(&process, SNARL_START_FORKSERVER) || snarl_process_start(&process) ||
         snarl_process_join(&process, SNARL_FOREVER) != SNARL_FAILED || snarl_process_exit_code(&process) != -SIGUSR1;
}
