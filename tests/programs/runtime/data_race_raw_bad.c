/* SPDX-License-Identifier: MIT
 *
 * Two processes increment a RawValue between them, and the same item of a RawArray.
 */
#include "processes.h"

typedef SNARL_RAW_VALUE(int) counter;
typedef SNARL_RAW_ARRAY(int, 3) counters;
static counter *hits;
static counters *each;

static int hit(void *unused) {
  (void)unused;
  snarl_raw_value_update(hits, += 1);
  snarl_raw_array_update(each, 2, += 1);
  return 0;
}

int main(void) {
  hits = snarl_raw_value_new(counter, "hits");
  each = snarl_raw_array_new(counters);
  if (!hits || !each)
    return 1;
  PROCESSES({"left", hit}, {"right", hit});
  snarl_raw_value_free(hits);
  snarl_raw_array_free(each);
  return 0;
}
