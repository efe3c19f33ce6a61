/* SPDX-License-Identifier: MIT
 *
 * Two processes increment each an item of its own of a RawArray. Their parent reads both after their end.
 */
#include "processes.h"

typedef SNARL_RAW_ARRAY(int, 5000) counters;
static counters *each;

static int left(void *unused) {
  (void)unused;
  return snarl_raw_array_update(each, 4998, += 5) != 5;
}

static int right(void *unused) {
  (void)unused;
  return snarl_raw_array_update(each, 4999, += 6) != 6;
}

int main(void) {
  each = snarl_raw_array_new(counters);
  if (!each)
    return 1;
  PROCESSES({"left", left}, {"right", right});
  bool is_right = snarl_raw_array_get(each, 4998) + snarl_raw_array_get(each, 4999) == 11;
  snarl_raw_array_free(each);
  return !is_right;
}
