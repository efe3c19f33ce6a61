/* SPDX-License-Identifier: MIT
 *
 * Reads a pipe to its end, which never comes, although the writer has ended: a sibling of it, which was forked later
 * and waits for the reader, has inherited the writing end.
 */
#include "sibling.h"

int main(void) { return read_to_the_end(false); }
