/* SPDX-License-Identifier: MIT
 *
 * The same, and the child removes the name when it has opened it.
 */
#include "named_semaphore.h"

int main(void) {
  removes_name = 1;
  use_semaphore();
  use_semaphore(); /* made anew, and removed again */
  return 0;
}
