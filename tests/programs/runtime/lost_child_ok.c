/* SPDX-License-Identifier: MIT
 *
 * Processes fail, and the program looks: at a join, and at an exit code. One it has killed itself.
 */
#include <signal.h>
#include <snarl/snarl.h>

static int fail(void *unused) {
  (void)unused;
  return raise(SIGUSR1);
}

static snarl_process process = SNARL_PROCESS_INIT("process", fail, NULL);

static int wait_for_ever(void *unused) {
  (void)unused;
  snarl_sleep(SNARL_FOREVER);
  return 1;
}

static snarl_process other = SNARL_PROCESS_INIT("other", fail, NULL);
static snarl_process unwanted = SNARL_PROCESS_INIT("unwanted", wait_for_ever, NULL);

int main(void) {
  if (snarl_process_start(&process) || snarl_process_start(&other) || snarl_process_start(&unwanted))
    return 1;
  while (snarl_process_exit_code(&other) == SNARL_EXIT_NONE)
    snarl_sleep(SNARL_MS(1));
  return snarl_process_kill(&unwanted) || snarl_process_join(&process, SNARL_FOREVER) != SNARL_FAILED;
}
