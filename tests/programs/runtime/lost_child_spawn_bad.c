/* SPDX-License-Identifier: MIT
 *
 * A process of the start method spawn fails, and the program ends without having joined it.
 */
#include <signal.h>
#include <snarl/snarl.h>

static int fail(void *unused) {
  (void)unused;
  return raise(SIGUSR1);
}
SNARL_ENTRY(fail);

static snarl_process process = SNARL_PROCESS_INIT("process", fail, NULL);

int main(void) { return snarl_process_set_start(&process, SNARL_START_SPAWN) || snarl_process_start(&process); }
