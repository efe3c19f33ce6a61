/* SPDX-License-Identifier: MIT
 *
 * Two processes take turns by a named semaphore, and nobody removes its name.
 */
#include "named_semaphore.h"

int main(void) {
  use_semaphore();
  named_semaphore_tidy();
  return 0;
}
