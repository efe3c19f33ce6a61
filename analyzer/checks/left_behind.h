/* SPDX-License-Identifier: MIT
 *
 * What a program leaves behind in the system: children that ended and that it never waited for while it went on, and
 * names of semaphores and shared memory that nobody removed. Names are judged when all processes of the trace have
 * ended by themselves: one that was killed, or still runs, might have removed them. One thread per value.
 */
#ifndef SNARL_CHECKS_LEFT_BEHIND_H
#define SNARL_CHECKS_LEFT_BEHIND_H

#include "../describe/describe.h"

void left_behind_announce(struct describe *describe);
void left_behind_report(struct describe *describe, struct found_list *found);

#endif
