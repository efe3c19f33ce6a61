/* SPDX-License-Identifier: MIT
 *
 * The slow half of the event count: somebody sleeps. Entered by any thread.
 */
#include "eventcount.h"
#include <limits.h>

void snarli_eventcount_wake(struct snarli_eventcount *count, bool all) {
  uint64_t state = snarli_load64(&count->state), next;
  do {
    uint64_t sleepers = state >> 32;
    if (!sleepers)
      return;
    next = (all ? 0 : sleepers - 1) << 32 | (uint32_t)(state + 1);
  } while (!snarli_cas64(&count->state, &state, next));
  snarli_unpark(snarli_eventcount_word(count), all ? INT_MAX : 1);
}
