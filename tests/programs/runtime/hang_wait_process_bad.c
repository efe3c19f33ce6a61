/* SPDX-License-Identifier: MIT
 *
 * The main process waits for the first of its workers to end, which wait for an event that it would set then.
 */
#include "first_to_end.h"

int main(void) { return first_to_end(false); }
