/* SPDX-License-Identifier: MIT
 *
 * Why a lock-order cycle has the verdict that it has, in one sentence. One thread per analysis.
 */
#ifndef SNARL_CHECKS_LOCK_REASONS_H
#define SNARL_CHECKS_LOCK_REASONS_H

#include "lock_order.h"

const char *lock_cycle_reason(const struct lock_cycles *cycles, const struct lock_cycle *cycle,
                              struct describe *describe);

#endif
