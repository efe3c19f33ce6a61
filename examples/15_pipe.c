/* SPDX-License-Identifier: MIT
 *
 * A pipe between two processes: one sends, the other receives until it is told that there is no more. Each connection
 * is given to the process that uses it, so that nobody else has a copy: should the sender die, the receiver learns it.
 */
#include "pace.h"
#include <stdio.h>

static int sender(void *argument) {
  snarl_connection *connection = argument;
  printf("the sender begins\n");
  for (int i = 0; i < 10; i++) {
    if (snarl_connection_send_any(connection, snarl_any_stringf("message-%d", i), SNARL_FOREVER))
      return 1;
    printf("sent: message-%d\n", i);
    pace_sleep(0.5);
  }
  snarl_connection_send_any(connection, SNARL_NIL, SNARL_FOREVER); /* no more; closing it says so, too */
  snarl_connection_close(connection);
  printf("the sender ends\n");
  return 0;
}

static int receiver(void *argument) {
  snarl_connection *connection = argument;
  printf("the receiver begins\n");
  snarl_any message;
  while (snarl_any_is_string(message = snarl_connection_recv_any(connection, SNARL_FOREVER))) {
    printf("received: %s\n", snarl_any_as_string(message));
    snarl_any_drop(&message);
  }
  snarl_connection_close(connection);
  printf("the receiver ends\n");
  return !snarl_any_is_nil(message);
}

int main(void) {
  snarl_connection there, here;
  if (snarl_pipe(&there, &here, "messages", SNARL_DUPLEX))
    return 1;
  snarl_process sending = SNARL_PROCESS_INIT("sender", sender, &there);
  snarl_process receiving = SNARL_PROCESS_INIT("receiver", receiver, &here);
  snarl_connection_give(&there, &sending);
  snarl_connection_give(&here, &receiving);
  if (snarl_process_start(&sending) || snarl_process_start(&receiving))
    return 1;
  int failed = snarl_process_join(&sending, SNARL_FOREVER) != SNARL_OK;
  failed += snarl_process_join(&receiving, SNARL_FOREVER) != SNARL_OK;
  snarl_connection_close(&there);
  snarl_connection_close(&here);
  if (!failed)
    printf("all processes have ended\n");
  return failed;
}
