/* SPDX-License-Identifier: MIT
 *
 * The slow half of the event count: somebody sleeps; and the memory that is kept. Entered by any thread.
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

static void give_all(void **kept, struct snarli_kept *first, struct snarli_kept *last) {
  void *found = NULL; /* as take leaves it */
  do
    last->next = found;
  while (!snarli_cas_pointer(kept, &found, first));
}

void snarli_kept_give(void **kept, struct snarli_kept *memory) { give_all(kept, memory, memory); }

/* All are taken for a moment: taking only the first would follow its link while another thread takes and gives it. */
struct snarli_kept *snarli_kept_take(void **kept) {
  struct snarli_kept *taken = snarli_swap_pointer(kept, NULL), *rest = taken ? taken->next : NULL, *last = rest;
  void *none = NULL;
  if (!rest || snarli_cas_pointer(kept, &none, rest))
    return taken;
  while (last->next)
    last = last->next;
  give_all(kept, rest, last);
  return taken;
}
