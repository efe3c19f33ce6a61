/* SPDX-License-Identifier: MIT
 *
 * Two processes increment a RawValue between them.
 */
#include "processes.h"

typedef SNARL_RAW_VALUE(int) counter;
static counter *hits;

static int hit(void *unused) {
  (void)unused;
  snarl_raw_value_update(hits, += 1);
  return 0;
}

int main(void) {
  hits = snarl_raw_value_new(counter, "hits");
  if (!hits)
    return 1;
  PROCESSES({"left", hit}, {"right", hit});
  snarl_raw_value_free(hits);
  return 0;
}
