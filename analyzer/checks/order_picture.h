/* SPDX-License-Identifier: MIT
 *
 * The happens-before picture: a column per thread, time downwards, an arrow where something that one thread did came
 * before something that another did. One thread per analysis.
 */
#ifndef SNARL_CHECKS_ORDER_PICTURE_H
#define SNARL_CHECKS_ORDER_PICTURE_H

#include "../describe/describe.h"

/* Replays the trace once more. By default only the steps of findings, what came last before them and first after them,
 * and the lives of their threads. `number_of`: of each step in describe->marks, the finding in the report, 0: of none.
 * `mixed_sems`: see happens_before.h. */
struct picture order_picture(struct describe *describe, const struct map *mixed_sems, const int32_t *number_of,
                             bool show_all);

#endif
