/* SPDX-License-Identifier: MIT
 *
 * A variable is written by the receiver of a message and, after that was sent, by its sender.
 */
#include "threads.h"

static SNARL_SHARED(int) baton = SNARL_SHARED_INIT("baton", 0);
static snarl_connection one, other;

static void *left(void *unused) {
  if (snarl_connection_send(&one, "", 1, SNARL_FOREVER))
    abort();
  snarl_shared_update(&baton, += 1);
  return unused;
}

static void *right(void *unused) {
  char byte;
  if (snarl_connection_recv_into(&other, &byte, 1, SNARL_FOREVER) != 1)
    abort();
  snarl_shared_update(&baton, += 1);
  return unused;
}

int main(void) {
  if (snarl_pipe(&one, &other, "pipe", SNARL_DUPLEX))
    return 1;
  THREADS({"left", left}, {"right", right});
  return snarl_connection_close(&one) || snarl_connection_close(&other);
}
