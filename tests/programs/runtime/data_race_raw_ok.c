/* SPDX-License-Identifier: MIT
 *
 * Two processes write a RawValue one after the other, since one waits for the other's message. Their parent reads it
 * after their end.
 */
#include "processes.h"

typedef SNARL_RAW_VALUE(int) counter;
static counter *hits;
static snarl_connection here, there;

static int left(void *unused) {
  (void)unused;
  snarl_raw_value_update(hits, += 1);
  return snarl_connection_send_any(&here, SNARL_NIL, SNARL_FOREVER) != SNARL_OK;
}

static int right(void *unused) {
  (void)unused;
  if (snarl_any_is_error(snarl_connection_recv_any(&there, SNARL_FOREVER)))
    return 1;
  snarl_raw_value_update(hits, += 1);
  return 0;
}

int main(void) {
  hits = snarl_raw_value_new(counter, "hits");
  if (!hits || snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  bool is_right = snarl_raw_value_get(hits) == 2;
  snarl_raw_value_free(hits);
  return !is_right || snarl_connection_close(&here) || snarl_connection_close(&there);
}
