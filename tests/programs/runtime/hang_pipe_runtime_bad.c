/* SPDX-License-Identifier: MIT
 *
 * The sender ends without a word, and the receiver waits for ever: another process, which waits for orders, was started
 * while the sender's connection was open, and has a copy.
 */
#include "sibling.h"

int main(void) { return receive_to_the_end(false); }
