/* SPDX-License-Identifier: MIT
 *
 * A thread holds the Lock of the log while main starts a process, which would like to write a line, too.
 */
#include "log_of_threads.h"

int main(void) { return start_while_held(false); }
