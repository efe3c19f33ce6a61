/* SPDX-License-Identifier: MIT
 *
 * The slow half of the event count: somebody sleeps; and the memory that is kept. Entered by any thread.
 */
#include "eventcount.h"
#include <limits.h>

/* False: nobody is to be woken. */
static bool take_off(struct snarli_eventcount *count, bool all) {
  uint64_t state = snarli_load64(&count->state), next;
  do {
    uint64_t sleepers = state >> 32;
    if (!sleepers)
      return false;
    next = (all ? 0 : sleepers - 1) << 32 | (uint32_t)(state + 1);
  } while (!snarli_cas64(&count->state, &state, next));
  return true;
}

void snarli_eventcount_wake(struct snarli_eventcount *count, bool all) {
  if (take_off(count, all))
    snarli_unpark(snarli_eventcount_word(count), all ? INT_MAX : 1);
}

bool snarli_eventcount_wake_shared(struct snarli_eventcount *count, bool all) {
  return take_off(count, all) && snarli_unpark_shared(snarli_eventcount_word(count), all ? INT_MAX : 1) > 0;
}

static uint32_t kept_guard;

struct snarli_kept *snarli_kept_take(struct snarli_kept **kept) {
  snarli_guard(&kept_guard);
  struct snarli_kept *taken = *kept;
  if (taken)
    *kept = taken->next;
  snarli_unguard(&kept_guard);
  return taken;
}

void snarli_kept_give(struct snarli_kept **kept, struct snarli_kept *memory) {
  snarli_guard(&kept_guard);
  memory->next = *kept;
  *kept = memory;
  snarli_unguard(&kept_guard);
}

/* The lists are whole at any moment. */
void snarli_kept_in_child(void) { kept_guard = 0; }
