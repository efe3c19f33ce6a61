/* SPDX-License-Identifier: MIT
 *
 * Two processes increment a Value between them without its lock.
 */
#include "processes.h"

typedef SNARL_VALUE(int) counter;
static counter *hits;

static int hit(void *unused) {
  (void)unused;
  snarl_shared_update(&hits->shared, += 1);
  return 0;
}

int main(void) {
  hits = snarl_value_new(counter, "hits");
  if (!hits)
    return 1;
  PROCESSES({"left", hit}, {"right", hit});
  snarl_value_free(hits);
  return 0;
}
