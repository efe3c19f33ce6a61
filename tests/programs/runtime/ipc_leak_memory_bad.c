/* SPDX-License-Identifier: MIT
 *
 * Shared memory with a name, which another process attaches by it, and nobody unlinks it.
 */
#include "named_memory.h"

int main(void) {
  use_memory();
  memory_tidy();
  return 0;
}
