/* SPDX-License-Identifier: MIT
 *
 * The sender ends without a word, and the receiver waits for ever: it has a copy of the sender's connection itself.
 */
#include <snarl/snarl.h>

static snarl_connection here, there;

static int sender(void *unused) {
  (void)unused;
  return snarl_connection_send(&there, "last words", 10, SNARL_FOREVER);
}

int main(void) {
  char message[16];
  snarl_process process = SNARL_PROCESS_INIT("sender", sender, NULL);
  if (snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX) || snarl_process_start(&process) ||
      snarl_process_join(&process, SNARL_FOREVER))
    return 1;
  while (snarl_connection_recv_into(&here, message, sizeof message, SNARL_FOREVER) > 0)
    ;
  return 0;
}
