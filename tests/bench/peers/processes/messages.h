/* SPDX-License-Identifier: MIT
 *
 * The subjects that are about messages, each with every transport there is.
 */
#ifndef SNARL_BENCH_MESSAGES_H
#define SNARL_BENCH_MESSAGES_H

#include "process_peers.h"

void messages_list(void);
/* Valid until the next call; NULL: there is none of this name. */
const struct process_peer *messages_find(const char *subject, const char *name);

#endif
