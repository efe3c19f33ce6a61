/* SPDX-License-Identifier: MIT
 *
 * The sender ends without a word, and the receiver is told: the sender alone has had its connection.
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
  if (snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX) || snarl_connection_give(&there, &process) ||
      snarl_process_start(&process) || snarl_process_join(&process, SNARL_FOREVER))
    return 1;
  int64_t size;
  while ((size = snarl_connection_recv_into(&here, message, sizeof message, SNARL_FOREVER)) > 0)
    ;
  return size != SNARL_CLOSED || snarl_connection_close(&here) || snarl_connection_close(&there);
}
