/* SPDX-License-Identifier: MIT
 *
 * The same, and each connection is given to the process that uses it.
 */
#include "sibling.h"

int main(void) { return receive_to_the_end(true); }
