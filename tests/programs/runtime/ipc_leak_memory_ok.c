/* SPDX-License-Identifier: MIT
 *
 * The same, and the other process unlinks it when it is attached.
 */
#include "named_memory.h"

int main(void) {
  unlinks = true;
  use_memory();
  return 0;
}
