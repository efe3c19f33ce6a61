/* SPDX-License-Identifier: MIT
 *
 * Two processes increment a Value between them under its lock, and each an item of its own of an Array.
 */
#include "processes.h"

typedef SNARL_VALUE(int) counter;
typedef SNARL_ARRAY(int, 2) counters;
static counter *hits;
static counters *each;

static int hit(size_t mine) {
  snarl_value_update(hits, += 1);
  snarl_with(&hits->lock) snarl_shared_update(&hits->shared, += 1);
  snarl_array_update(each, mine, += 1);
  return 0;
}

static int left(void *unused) {
  (void)unused;
  return hit(0);
}

static int right(void *unused) {
  (void)unused;
  return hit(1);
}

int main(void) {
  hits = snarl_value_new(counter, "hits");
  each = snarl_array_new(counters, "each");
  if (!hits || !each)
    return 1;
  PROCESSES({"left", left}, {"right", right});
  bool is_right = snarl_value_get(hits) == 4 && snarl_array_get(each, 0) == 1 && snarl_array_get(each, 1) == 1;
  snarl_value_free(hits);
  snarl_array_free(each);
  return !is_right;
}
