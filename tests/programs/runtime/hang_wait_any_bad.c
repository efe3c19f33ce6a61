/* SPDX-License-Identifier: MIT
 *
 * The main process waits for an answer of a worker or for its end, whatever comes first, and has not told it what to
 * do.
 */
#include "order_of_work.h"

int main(void) { return work_is_done(false); }
