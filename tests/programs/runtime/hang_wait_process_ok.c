/* SPDX-License-Identifier: MIT
 *
 * The main process lets its workers end, and waits for the first that does, and then for the others.
 */
#include "first_to_end.h"

int main(void) { return first_to_end(true); }
