/* SPDX-License-Identifier: MIT
 *
 * Two processes write a RawValue one after the other, since one waits for the other's message, and each an item of its
 * own of a RawArray. Their parent reads all after their end.
 */
#include "processes.h"

typedef SNARL_RAW_VALUE(int) counter;
typedef SNARL_RAW_ARRAY(int, 2) counters;
static counter *hits;
static counters *each;
static snarl_connection here, there;

static int left(void *unused) {
  (void)unused;
  snarl_raw_value_update(hits, += 1);
  snarl_raw_array_set(each, 0, 5);
  return snarl_connection_send_any(&here, SNARL_NIL, SNARL_FOREVER) != SNARL_OK;
}

static int right(void *unused) {
  (void)unused;
  snarl_raw_array_update(each, 1, += 6);
  if (snarl_any_is_error(snarl_connection_recv_any(&there, SNARL_FOREVER)))
    return 1;
  snarl_raw_value_update(hits, += 1);
  return 0;
}

int main(void) {
  hits = snarl_raw_value_new(counter, "hits");
  each = snarl_raw_array_new(counters);
  if (!hits || !each || snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX))
    return 1;
  PROCESSES({"left", left}, {"right", right});
  bool is_right = snarl_raw_value_get(hits) == 2 && snarl_raw_array_get(each, 0) + snarl_raw_array_get(each, 1) == 11;
  snarl_raw_value_free(hits);
  snarl_raw_array_free(each);
  return !is_right || snarl_connection_close(&here) || snarl_connection_close(&there);
}
