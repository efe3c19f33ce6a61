/* SPDX-License-Identifier: MIT
 *
 * Two processes increment the same item of a RawArray between them, far from its beginning.
 */
#include "processes.h"

typedef SNARL_RAW_ARRAY(int, 5000) counters;
static counters *each;

static int hit(void *unused) {
  (void)unused;
  snarl_raw_array_update(each, 4999, += 1);
  return 0;
}

int main(void) {
  each = snarl_raw_array_new(counters);
  if (!each)
    return 1;
  PROCESSES({"left", hit}, {"right", hit});
  snarl_raw_array_free(each);
  return 0;
}
