/* SPDX-License-Identifier: MIT
 *
 * A variable goes with a message to another thread, with the answer back, and with a poll that sees it come.
 */
#include "threads.h"

static SNARL_SHARED(int) baton = SNARL_SHARED_INIT("baton", 0);
static snarl_connection one, other;

static void *left(void *unused) {
  char byte;
  snarl_shared_update(&baton, += 1);
  if (snarl_connection_send(&one, "", 1, SNARL_FOREVER) || snarl_connection_poll(&one, SNARL_FOREVER) != 1 ||
      snarl_connection_recv_into(&one, &byte, 1, SNARL_NOW) != 1)
    abort();
  snarl_shared_update(&baton, += 1);
  return unused;
}

static void *right(void *unused) {
  char byte;
  if (snarl_connection_recv_into(&other, &byte, 1, SNARL_S(20)) != 1)
    abort();
  snarl_shared_update(&baton, += 1);
  if (snarl_connection_send(&other, "", 1, SNARL_S(20)))
    abort();
  return unused;
}

int main(void) {
  if (snarl_pipe(&one, &other, "pipe", SNARL_DUPLEX))
    return 1;
  THREADS({"left", left}, {"right", right});
  return snarl_connection_close(&one) || snarl_connection_close(&other) || snarl_shared_read(&baton) != 3;
}
