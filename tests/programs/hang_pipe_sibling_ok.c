/* SPDX-License-Identifier: MIT
 *
 * The same, and the sibling closes what is not its own.
 */
#include "sibling.h"

int main(void) { return read_to_the_end(true); }
