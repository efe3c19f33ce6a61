/* SPDX-License-Identifier: MIT
 *
 * A process opens a file twice and locks both: the second waits for the first.
 */
#include "files.h"

int main(void) {
  int first = files_open("a.lock"), second = files_open("a.lock");
  flock(first, LOCK_EX);
  flock(second, LOCK_EX);
  return 0;
}
