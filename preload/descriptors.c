/* SPDX-License-Identifier: MIT
 *
 * The recorder's stack walk (libunwind) keeps a pipe to probe memory with. It would take the lowest free descriptors,
 * which programs count on: a shell that redirects, a daemon that closed 0 to 2. Any thread.
 */
#include "wrapper.h"

SNARLI_EXPORT int pipe2(int ends[2], int flags) {
  int result = snarli_real()->pipe2(ends, flags);
  if (result == 0 && snarli_is_walking()) {
    ends[0] = snarli_descriptor_aside(ends[0]);
    ends[1] = snarli_descriptor_aside(ends[1]);
  }
  return result;
}
