/* SPDX-License-Identifier: MIT
 *
 * A child ends, and its parent, which has other things to do for a while, never waits for it.
 */
#include "child.h"

int main(void) {
  (void)child_that_ends();
  lives_on();
  return 0;
}
