/* SPDX-License-Identifier: MIT
 *
 * Two processes replace the same value of a ShareableList.
 */
#include "processes.h"

static snarl_shareable_list scores;

static int win(void *unused) {
  (void)unused;
  return snarl_shareable_list_set(&scores, 1, 1.5) != SNARL_OK;
}

int main(void) {
  snarl_any values = snarl_any_list();
  if (snarl_any_list_append(values, "name") || snarl_any_list_append(values, 0.0) ||
      snarl_shareable_list_create(&scores, NULL, values))
    return 1;
  PROCESSES({"left", win}, {"right", win});
  return snarl_shareable_list_close(&scores) != SNARL_OK;
}
