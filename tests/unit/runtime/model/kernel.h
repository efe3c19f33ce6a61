/* SPDX-License-Identifier: MIT
 *
 * The kernel's part in locks that survive their owners, for the interleaving test of what processes share.
 */
#ifndef SNARL_TEST_KERNEL_H
#define SNARL_TEST_KERNEL_H

#include <stdbool.h>

/* Nobody has a lock. */
void kernel_begin(void);
/* Nobody has one but who was killed. */
bool kernel_lists_are_empty(void);

#endif
