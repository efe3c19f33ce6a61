/* SPDX-License-Identifier: MIT
 *
 * The same, and main has the Lock itself when it starts the process, which then releases its copy of it.
 */
#include "log_of_threads.h"

int main(void) { return start_while_held(true); }
