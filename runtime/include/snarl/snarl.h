/* SPDX-License-Identifier: MIT
 *
 * Python's threading for C, with every operation in the trace under its own name. See runtime/README.md.
 */
#ifndef SNARL_SNARL_H
#define SNARL_SNARL_H

#include <snarl/base.h>
#include <snarl/lock.h>

#endif
